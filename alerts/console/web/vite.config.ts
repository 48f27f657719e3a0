import { defineConfig } from 'vite';

// The page is served by the console child from alerts/console/static/ (scripts/build_web.py puts it there); during
// development `npm run dev` passes the API on to a console, or to tests/browser/mock_api.py, on port 8090.
export default defineConfig({
  base: './',
  build: {
    outDir: '../static',
    emptyOutDir: true,
    target: 'es2022',
    assetsInlineLimit: 0, // the content security policy allows no data: URLs
    modulePreload: { polyfill: false },
    rolldownOptions: { input: { index: 'index.html', field: 'field/index.html' } }, // the phone page has a scope of its own
  },
  server: { proxy: { '/api': 'http://127.0.0.1:8090' } },
});
