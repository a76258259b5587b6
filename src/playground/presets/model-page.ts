/** Where the families publish their models, for those that are not on the Hugging Face hub. */
const familyPages: Readonly<Record<string, string>> = {
  torchvision: 'https://docs.pytorch.org/vision/stable/models.html',
  open_clip: 'https://github.com/mlfoundations/open_clip',
  ultralytics: 'https://docs.ultralytics.com/models/',
  paddleocr: 'https://github.com/PaddlePaddle/PaddleOCR',
  keras: 'https://keras.io/api/applications/',
};

const hubFamilies = ['transformers', 'timm', 'open_clip'];

/** The page of a preset's model: on the hub if the name is an id of it, else that of its family. */
export function modelPage(name: string, family: string): string | undefined {
  const isId = /^[\w.-]+\/[\w.-]+$/.test(name);
  return hubFamilies.includes(family) && isId ? `https://huggingface.co/${name}` : familyPages[family];
}
