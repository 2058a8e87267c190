package web

import (
	"net/http"
	"strings"
)

// camera is what the page of the check needs to read a QR with the camera of
// the visitor. Nothing of it is loaded until they ask for it but one small
// script, and nothing from another site.
type camera struct {
	Script          string // address of ours
	Reader, Program string // addresses of the reader of QR codes and of its WebAssembly; "" where this program was built without
}

func (s *Site) camera() camera {
	c := camera{Script: s.assets.address("camera.js"), Reader: s.assets.address("zxing.js"), Program: s.assets.address("zxing.wasm")}
	if c.Reader == "" || c.Program == "" {
		c.Reader, c.Program = "", ""
	}
	return c
}

// allow lets one page run our scripts, which ask this site alone, and use the
// camera. Every other page runs none. WebAssembly is allowed where there is a reader in it.
func (c camera) allow(w http.ResponseWriter) {
	scripts := "script-src 'self'"
	if c.Program != "" {
		scripts += " 'wasm-unsafe-eval'"
	}
	h := w.Header()
	h.Set("Content-Security-Policy", contentPolicy+"; "+scripts+"; connect-src 'self'")
	h.Set("Permissions-Policy", strings.Replace(h.Get("Permissions-Policy"), "camera=()", "camera=(self)", 1))
}
