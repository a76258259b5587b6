"""Draws the first page of a PDF several times; a request is a line of JSON and the bytes of the PDF."""

import json
import resource
import sys


def used():
    return sum(sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))


def pypdfium2_pages(content, pages):
    import pypdfium2

    for _ in range(pages):
        with pypdfium2.PdfDocument(content) as document:
            document[0].render(scale=2, rev_byteorder=True, may_draw_forms=False).to_numpy()


def pdf2image_pages(content, pages):
    import pdf2image

    for _ in range(pages):
        pdf2image.convert_from_bytes(content, dpi=144, first_page=1, last_page=1)


LIBRARIES = {"pypdfium2": pypdfium2_pages, "pdf2image": pdf2image_pages}

for line in sys.stdin.buffer:
    message = json.loads(line)
    content = sys.stdin.buffer.read(message["bytes"])
    before = used()
    LIBRARIES[message["library"]](content, message["pages"])
    ms = 1000 * (used() - before) / message["pages"]
    sys.stdout.buffer.write(json.dumps({"ms": ms, "bytes": 0}).encode() + b"\n")
    sys.stdout.buffer.flush()
