import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  // Nothing is taken as it is: every file is imported, and so gets a name made from what it holds.
  publicDir: false,
  build: {
    // What browsers had by the end of 2023, `light-dark()` a little later.
    target: ['chrome120', 'firefox121', 'safari17.2'],
    // A data: URL in a style sheet would need a wider CSP.
    assetsInlineLimit: 0,
    // Its polyfill is for browsers that are older than our target.
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    // Libraries say "use client" for servers that render React; here everything is the client.
    rolldownOptions: { checks: { moduleLevelDirective: false } },
  },
});
