/** Where the service is: the folder of this page, without a slash at its end. */
export const origin = new URL('.', location.href).href.replace(/\/$/, '');
