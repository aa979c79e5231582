import { defineConfig } from "vite";

export default defineConfig({
  build: {
    outDir: "../src/pliant/studio/_web",
    emptyOutDir: true,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    sourcemap: false,
    target: "es2022",
  },
  server: {
    proxy: { "/api": { target: "http://127.0.0.1:8700", ws: true } },
  },
});
