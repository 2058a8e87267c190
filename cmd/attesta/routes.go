package main

import (
	"net/http"

	"github.com/go-chi/chi/v5"

	"attesta/web"
)

// routes is the whole URL map of a server. web.Site.Routes declares the
// addresses with their middleware: request id, recovery from faults, security
// headers, refusal of foreign origins and language for all of them; a limit on
// requests for what is posted.
//
//	/                              what this is
//	/verify                        check a pasted text, a file or many
//	/verify/rows                   the answers about a group of many, for the script of that page
//	/verify/table                  the answers about many, sorted, for a spreadsheet or as a signed receipt
//	/offline                       checks on the visitor’s device, also without a network; the same
//	/c /C                          page behind a compact QR, whose data no server is told
//	/offline/copy.json             what a device keeps for that, with /trust/{file} the anchors
//	/worker.js /app.webmanifest    what keeps the page there, and how it is installed as an app,
//	/app-192.png /app-512.png      with its picture
//	/v/{handle}                    the page behind a QR, which also says whether it is a person’s;
//	                               for programs the sealed bytes, unless they hold more than the name
//	/v/{handle}/qr.svg             the QR that leads there
//	/c/{token}                     the holder's page
//	/c/{token}/credential.jsonld   the sealed file
//	/c/{token}/compact             the compact QR of it, made when its holder asks
//	/console                       the provider's console, with /modules and /records
//	/console/status                change the status of a credential, an edition, a module
//	/console/proposals             what waits for a second person, and what was decided
//	/console/sign-in /sign-out     in with a one-time link, and out
//	/api/v1/verify                 checks for programs; /api/openapi.json describes it
//	/status/{list}                 signed status lists, for anybody: Token Status List
//	/status/{list}/{purpose}       the same as Bitstring Status Lists
//	/status/aggregation            the addresses of all lists
//	/.well-known/jwks.json         the public keys, with did.json and jwt-vc-issuer beside it
//	/keys/root.crl                 revoked certificates of this installation's own root
//	/log/checkpoint /log/key       how far the audit log has come, signed; who signs
//	/log/entries/{from}-{to}       what everybody may see of its entries
//	/log/inclusion/{number}        that an entry is in it; ?size= of which checkpoint
//	/log/consistency/{old}-{new}   that it only grew
//	/healthz /readyz               for the operator's own probes
//	/assets/{name} /robots.txt     style sheets and pictures; what not to index
func routes(site *web.Site) http.Handler {
	r := chi.NewRouter()
	site.Routes(r)
	return r
}
