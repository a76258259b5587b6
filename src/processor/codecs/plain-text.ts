/** Whether the first bytes of a file are printable ASCII. */
export function isPlainText(head: string): boolean {
  return /^[\t\r\n\x20-\x7e]*$/.test(head);
}
