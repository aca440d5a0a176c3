/** Run by chromium.ts in a process of its own: the package unpacks into the folder for temporary files, and goes by variables that are read when it is imported. */
import chromium from '@sparticuz/chromium';

await chromium.executablePath();
