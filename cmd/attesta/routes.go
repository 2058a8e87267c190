package main

import (
	"net/http"

	"github.com/go-chi/chi/v5"

	"attesta/web"
)

// routes is the whole URL map of a server. The pages bring their own
// middleware, outermost first: request id, recovery from panics, security
// headers, refusal of foreign origins, language, and limits on what can be
// guessed; web.Site.Routes lists them.
//
//	/                          what this is
//	/verify                    check a pasted text or a file
//	/v/{handle}                the page behind a QR
//	/c/{token}                 the holder's page
//	/console                   the provider's console, after a one-time sign-in link
//	/status/{list}/{purpose}   signed status lists, for anybody
//	/healthz /readyz           for the operator's own probes
//	/assets/{name}             style sheets and pictures
func routes(site *web.Site) http.Handler {
	r := chi.NewRouter()
	site.Routes(r)
	return r
}
