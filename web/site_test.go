package web

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"attesta/credentials"
	"attesta/registry"
	"attesta/status"
	"attesta/verifier"
	"attesta/wallet"

	"github.com/go-chi/chi/v5"
)

// The references of the sample: one credential for each verdict.
const (
	handleValid   = "AAAAAAAAAAAAAAAAAAAAAAAAAA"
	handleRevoked = "BBBBBBBBBBBBBBBBBBBBBBBBBB"
	handleUnclear = "CCCCCCCCCCCCCCCCCCCCCCCCCC"
	handleUnknown = "ZZZZZZZZZZZZZZZZZZZZZZZZZZ"
	handleErased  = "EEEEEEEEEEEEEEEEEEEEEEEEEE"
	tokenErased   = "ERASEDERASEDERASEDERASEDER"
	tokenValid    = "TOKENTOKENTOKENTOKENTOKEN2"
	listKnown     = "LLLLLLLLLLLLLLLLLLLLLLLLLL"
)

// What the program wires in fits.
var (
	_ Ledger = (*registry.Registry)(nil)
	_ Wallet = (*wallet.Wallet)(nil)
)

var errBroken = errors.New("disk on fire at /var/lib/attesta/db")

// world is the outside of a site, held in memory.
type world struct {
	mu      sync.Mutex
	access  map[string]registry.Access
	granted int
	report  func(presented []byte) (verifier.Report, error)
	ledger  error // what every read of the ledger fails with
}

func newWorld() *world {
	return &world{access: map[string]registry.Access{}, report: judge}
}

func now() time.Time { return time.Date(2026, 11, 21, 13, 5, 9, 0, time.UTC) }

func (w *world) Open(_ context.Context, token string) (wallet.Held, error) {
	if token == tokenErased {
		return wallet.Held{}, wallet.ErrErased
	}
	if token != tokenValid {
		return wallet.Held{}, fmt.Errorf("opening: %w", registry.ErrNotFound)
	}
	return wallet.Held{Record: record(1, handleValid), Sealed: []byte("sealed valid")}, nil
}

func (w *world) Show(_ context.Context, handle string) (wallet.Held, error) {
	sealed, ok := map[string]string{handleValid: "valid", handleRevoked: "revoked", handleUnclear: "unclear"}[handle]
	if handle == handleErased {
		return wallet.Held{}, wallet.ErrErased
	}
	if !ok {
		return wallet.Held{}, fmt.Errorf("opening: %w", registry.ErrNotFound)
	}
	held := wallet.Held{Record: record(1, handle), Sealed: []byte("sealed " + sealed)}
	if sealed == "revoked" {
		held.Record.Status, held.Record.Reason = status.Revoked, "fraud"
		held.Record.StatusAt = time.Date(2026, 7, 2, 23, 30, 0, 0, time.UTC) // 3 July in Italy
	}
	return held, nil
}

func record(seq uint64, handle string) registry.Record {
	r := registry.Record{
		Seq: seq, Credential: fmt.Sprintf("urn:credential:%08x-7d0e-4b6a-9c58-2b1d0f6e7a90", 0x6963acbb+seq), Handle: handle, Provider: "iss-scuola", Learner: fmt.Sprintf("TOT25-%03d", seq), Module: "SN-11",
		Version: "1.0", Edition: "2026-1", State: registry.Sealed, SealedAt: now().Add(-time.Duration(seq) * time.Hour),
	}
	switch seq % 7 {
	case 3:
		r.Status = status.Suspended
	case 5:
		r.Status = status.Revoked
	case 6:
		r.State, r.SealedAt = registry.Reserved, time.Time{}
	}
	return r
}

func (w *world) StatusList(_ context.Context, list string, _ status.Purpose) (Published, error) {
	if list != listKnown {
		return Published{}, fmt.Errorf("reading: %w", registry.ErrNotFound)
	}
	return Published{Token: []byte("a.b.c"), MediaType: "application/vc+jwt", ETag: "v7", MaxAge: 5 * time.Minute}, nil
}

func (w *world) TokenList(_ context.Context, list string) (Published, error) {
	if list != listKnown {
		return Published{}, fmt.Errorf("reading: %w", registry.ErrNotFound)
	}
	return Published{Token: []byte("d.e.f"), MediaType: "application/statuslist+jwt", ETag: `"v8"`, MaxAge: time.Minute}, nil
}

func (w *world) Aggregation(context.Context) (Published, error) {
	return Published{Token: []byte(`{"status_lists":[]}`), MediaType: "application/json", ETag: `"v9"`, MaxAge: time.Minute}, w.ledger
}

func (w *world) Records(_ context.Context, q registry.Query) ([]registry.Record, error) {
	var all []registry.Record
	for seq := uint64(120); seq > 0 && len(all) < q.Limit; seq-- {
		if (q.Before == 0 || seq < q.Before) && (q.Module == "" || q.Module == "SN-11") {
			all = append(all, record(seq, handleValid))
		}
	}
	return all, w.ledger
}

func (w *world) Counts(context.Context, string) (registry.Counts, error) {
	return registry.Counts{Sealed: 118, Reserved: 2, Suspended: 1, Revoked: 3}, w.ledger
}

func (w *world) Editions(context.Context, string, string, int) ([]registry.Edition, error) {
	return []registry.Edition{
		{Module: "SN-03", Edition: "2026-1", Counts: registry.Counts{Sealed: 17, Revoked: 1}},
		{Module: "SN-11", Edition: "2026-1", Counts: registry.Counts{Sealed: 21, Suspended: 1}},
	}, w.ledger
}

func (w *world) Providers(context.Context, string, int) ([]registry.Provider, error) {
	return []registry.Provider{
		{ID: "iss-cfp", Spec: []byte(`{"id":"iss-cfp","name":{"it":"CFP Lago Chiaro (ente di fantasia)","en":"Lago Chiaro Training Centre (fictional)"},"accreditation":{"register":"Albo regionale di esempio – sezione B","number":"ESEMPIO-0001","valid_from":"2025-01-01","valid_until":"2027-12-31"}}`)},
		{ID: "iss-scuola", Spec: []byte(`{"id":"iss-scuola","name":{"it":"Scuola Dimostrativa per le Politiche Attive del Lavoro","en":"Demo School for Active Labour Market Policies"}}`)},
	}, w.ledger
}

func (w *world) Modules(context.Context, string, string, int) ([]registry.Module, error) {
	return []registry.Module{
		{Code: "SN-03", Version: "1.0", Provider: "iss-scuola", Spec: []byte(`{"title":{"it":"Leggere il mercato del lavoro locale","en":"Reading the local labour market"},"workload":{"iso8601":"PT16H"},"level":{"eqf":6}}`)},
		{Code: "SN-11", Version: "1.0", Provider: "iss-scuola", Spec: []byte(`{"title":{"it":"Formare formatori con metodi partecipativi","en":"Training trainers with participatory methods"},"workload":{"iso8601":"PT32H"},"level":{"eqf":6}}`)},
	}, w.ledger
}

func (w *world) Grant(_ context.Context, kind, by string, ttl time.Duration, at time.Time) (string, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.granted++
	secret := fmt.Sprintf("SECRET%020d", w.granted)
	w.access[secret] = registry.Access{Kind: kind, By: by, Expires: at.Add(ttl)}
	return secret, nil
}

func (w *world) Enter(_ context.Context, kind, secret string, at time.Time) (registry.Access, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if a, ok := w.access[secret]; ok && a.Kind == kind && at.Before(a.Expires) {
		return a, nil
	}
	return registry.Access{}, fmt.Errorf("entering: %w", registry.ErrNotFound)
}

func (w *world) Redeem(ctx context.Context, kind, secret string, at time.Time) (registry.Access, error) {
	a, err := w.Enter(ctx, kind, secret, at)
	if err == nil {
		err = w.Leave(ctx, secret)
	}
	return a, err
}

func (w *world) Leave(_ context.Context, secret string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.access, secret)
	return nil
}

// newSite returns a site over a world and its router. change may alter the
// configuration.
func newSite(t testing.TB, w *world, change ...func(*Config)) (*Site, *chi.Mux) {
	t.Helper()
	c := Config{
		Registry: w, Wallet: w, Lists: w, Now: now, Zone: time.FixedZone("Rome", 3600), PublicURL: "http://127.0.0.1:8080",
		Verify: func(_ context.Context, presented []byte, at time.Time) (verifier.Report, error) {
			r, err := w.report(presented)
			if r.At = at; at.IsZero() {
				r.At = r.CheckedAt
			}
			return r, err
		},
		Log: slog.New(slog.DiscardHandler), RequestID: func() string { return "REQUEST-1" },
	}
	for _, f := range change {
		f(&c)
	}
	s, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	r := chi.NewRouter()
	s.Routes(r)
	return s, r
}

// ask sends a request and returns the answer.
func ask(h http.Handler, method, target string, body io.Reader, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, body)
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// judge stands for the verifier: the verdict is in the bytes.
func judge(presented []byte) (verifier.Report, error) {
	text := string(presented)
	facts := map[string]string{
		"name": "Scuola Dimostrativa per le Politiche Attive del Lavoro", "at": "2026-06-08T09:30:00+02:00",
		"from": "2026-06-08T09:30:00+02:00",
	}
	pass := func(id, reason string) verifier.Check {
		return verifier.Check{ID: id, Outcome: verifier.Pass, Reason: reason, Facts: facts}
	}
	r := verifier.Report{
		Verdict: verifier.Valid, Reason: "valid", Level: "demonstration", CheckedAt: now(), At: now(),
		Digest:     strings.Repeat("0f1e2d3c", 8),
		Credential: sample(),
		Checks: []verifier.Check{
			pass("format", "format_edc"), pass("seal", "seal_intact"), pass("issuer", "issuer_demonstration"),
			{ID: "accreditation", Outcome: verifier.Unknown, Reason: "accreditation_not_known"},
			pass("validity", "validity_no_end"), pass("status", "status_valid"), pass("schema", "schema_conforms"),
			{ID: "holder", Outcome: verifier.Skipped, Reason: "holder_not_bound", Facts: map[string]string{"name": "Nicolò D’Angelo-Çelik"}},
		},
	}
	set := func(id string, o verifier.Outcome, reason string) {
		i := slices.IndexFunc(r.Checks, func(c verifier.Check) bool { return c.ID == id })
		r.Checks[i] = verifier.Check{ID: id, Outcome: o, Reason: reason}
		r.Reason = reason
	}
	switch {
	case strings.Contains(text, "revoked"):
		r.Verdict = verifier.NotValid
		set("status", verifier.Fail, "status_revoked")
	case strings.Contains(text, "unclear"):
		r.Verdict = verifier.CannotTell
		set("status", verifier.Unknown, "status_unreachable")
	case strings.Contains(text, "broken"):
		r.Verdict, r.Credential, r.Level = verifier.NotValid, nil, ""
		r.Checks = r.Checks[:2]
		set("seal", verifier.Fail, "seal_broken")
	case !strings.Contains(text, "valid"):
		r.Verdict, r.Credential, r.Level = verifier.NotValid, nil, ""
		r.Checks = r.Checks[:1]
		set("format", verifier.Fail, "format_unknown")
	}
	return r, nil
}

func both(it, en string) credentials.Text { return credentials.Text{"it": it, "en": en} }

// sample is a credential with every field filled.
func sample() *credentials.View {
	rome := time.FixedZone("", 2*3600)
	supervised := &credentials.Concept{Label: both("Con sorveglianza e verifica dell’identità", "Supervised with ID verification")}
	skill := func(it, en string) credentials.Concept { return credentials.Concept{Label: both(it, en)} }
	return &credentials.View{
		ID:    "urn:credential:3f1c9a52-7d0e-4b6a-9c58-2b1d0f6e7a90",
		Title: both("Formare formatori con metodi partecipativi", "Training trainers with participatory methods"),
		Description: both("Progettare e condurre formazione attiva per adulti che lavorano, in aula e a distanza.",
			"Design and run active training for working adults, face-to-face and remotely."),
		HolderName: "Nicolò D’Angelo-Çelik", Issuer: "Scuola Dimostrativa per le Politiche Attive del Lavoro",
		IssuerNames: both("Scuola Dimostrativa per le Politiche Attive del Lavoro", "Demo School for Active Labour Market Policies"),
		IssuerLegal: "VATIT-00000000000", IssuerURL: "https://scuola.example.org", Country: skill("Italia", "Italy"),
		Issued: time.Date(2026, 6, 8, 9, 30, 0, 0, rome), CompletedOn: time.Date(2026, 5, 29, 0, 0, 0, 0, rome),
		Level:         &credentials.Concept{URI: "http://data.europa.eu/snb/eqf/6", Label: both("Livello 6", "Level 6")},
		LevelDeclared: true,
		LevelNote:     both("Dichiarato dall’ente che rilascia", "Declared by the issuer"),
		Hours:         "PT32H", Mode: []credentials.Concept{skill("Mista", "Blended")},
		Field:    []credentials.Concept{skill("Scienze dell’educazione", "Education science")},
		Language: []credentials.Concept{skill("italiano", "Italian")},
		Outcomes: []credentials.OutcomeView{
			{
				Title:  both("Progetta una sessione con obiettivi di apprendimento verificabili.", "Designs a session with verifiable learning outcomes."),
				Skills: []credentials.Concept{skill("educazione degli adulti", "adult education"), skill("applicare strategie di insegnamento", "apply teaching strategies")},
			},
			{
				Title:  both("Conduce attività esperienziali adattandole al gruppo.", "Runs experiential activities adapting them to the group."),
				Skills: []credentials.Concept{{Label: credentials.Text{"en": "apply blended learning"}}},
			},
			{
				Title:  both("Osserva una sessione altrui e dà un riscontro costruttivo.", "Observes another trainer’s session and gives constructive feedback."),
				Skills: []credentials.Concept{skill("dare riscontri costruttivi", "give constructive feedback")},
			},
		},
		Assessments: []credentials.AssessmentView{
			{
				Title: both("Conduzione osservata di una sessione", "Observed session"), Type: &credentials.Concept{Label: both("Prova pratica", "Practical assessment")},
				Grade: both("Superata", "Passed"), Supervision: supervised, Rule: both("Idoneo su griglia di osservazione", "Competent on an observation grid"),
			},
			{
				Title: both("Osservazione tra pari", "Peer review"), Type: &credentials.Concept{Label: both("Valutazione tra pari", "Peer review")},
				Grade: both("Superata", "Passed"), Rule: both("Due riscontri scritti completi", "Two complete written reviews"),
			},
		},
		Quality:  both("Procedura interna; nessuna valutazione esterna.", "Internal procedure; no external review."),
		Requires: both("Esperienza di almeno un anno nei servizi per il lavoro.", "At least one year of experience in employment services."),
		Stacks:   []credentials.StackView{{Code: "QS-B", Title: both("Percorso composto QS-B", "Stack QS-B")}}, Identifiers: []string{"SN-11"},
	}
}
