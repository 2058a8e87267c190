package web

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
)

// papers writes so many files of candidates.
func papers(t *testing.T, n int) (names []string) {
	t.Helper()
	dir := t.TempDir()
	for i := range n {
		name := filepath.Join(dir, fmt.Sprintf("candidato %02d.jsonld", i))
		if err := os.WriteFile(name, fmt.Appendf(nil, `{"valid": %d}`, i), 0o600); err != nil {
			t.Fatal(err)
		}
		names = append(names, name)
	}
	return names
}

// drop lets files fall onto the page.
func (p *phone) drop(names []string) {
	p.t.Helper()
	for _, step := range []input.DispatchDragEventType{"dragEnter", "dragOver", "drop"} {
		p.do(chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
			_, err := cdp.Call(ctx, t, input.DispatchDragEvent, input.DispatchDragEventParams{
				Type: step, X: 100, Y: 300, Data: &input.DragData{Items: []*input.DragDataItem{}, Files: names, DragOperationsMask: 1},
			})
			return err
		}))
	}
}

// groupsGate stands before a site: of the groups that come, the second fails, the
// third gets no answer until its sender leaves, and the fourth is to come later.
// It keeps what was saved.
type groupsGate struct {
	mu     sync.Mutex
	groups int
	saved  map[string][]byte
}

func (g *groupsGate) around(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/verify/rows":
			g.mu.Lock()
			g.groups++
			n := g.groups
			g.mu.Unlock()
			switch n {
			case 2:
				http.Error(w, "", http.StatusBadGateway)
				return
			case 3:
				<-r.Context().Done()
				return
			case 4:
				w.Header().Set("Retry-After", "1")
				http.Error(w, "", http.StatusTooManyRequests)
				return
			}
		case "/verify/table":
			kept := httptest.NewRecorder()
			h.ServeHTTP(kept, r)
			g.mu.Lock()
			g.saved[kept.Header().Get("Content-Type")] = kept.Body.Bytes()
			g.mu.Unlock()
			maps.Copy(w.Header(), kept.Header())
			w.WriteHeader(kept.Code)
			_, _ = w.Write(kept.Body.Bytes())
			return
		}
		h.ServeHTTP(w, r)
	})
}

func (g *groupsGate) save(kind string) []byte {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.saved[kind]
}

const manySaid = `document.getElementById("many-said").textContent`

// TestManyInBrowser: somebody drops sixty files onto the page and sees the table
// fill. What was cancelled and what failed can be tried again; the whole is saved as
// a receipt, and sorted. Nothing but this site is asked (R4).
func TestManyInBrowser(t *testing.T) {
	gate := &groupsGate{saved: map[string][]byte{}}
	with, root := withReceipts(t)
	p := newPhoneBefore(t, "", gate.around, with)
	names := papers(t, 60)
	p.do(chromedp.Navigate(p.base + "/verify?lang=it"))
	p.until(`document.getElementById("many").hidden`, "true")
	p.until(`document.getElementById("file-hint").innerText.includes("Puoi anche trascinarli su questa pagina.")`, "true")
	p.drop(names)
	const done = `[...document.querySelectorAll("#many-table tbody tr.valid")].length`
	p.until(`[document.getElementById("many-bar").value, document.getElementById("many-bar").max].join()`, "20,60")
	p.until(done, "20")
	p.until(`document.querySelectorAll("tr.undone").length`, "20")
	if words := p.js(`document.querySelector("tr.undone").innerText`); !strings.Contains(words, "Non verificato") || !strings.Contains(words, "La rete o il sito non hanno risposto") {
		t.Errorf("a group that failed: %s", words)
	}
	p.until(manySaid, "20 di 60")
	p.shot("many-progress")
	p.do(chromedp.Focus(chromedp.CSS("#many-cancel")), chromedp.KeyEvent("\r"))
	p.until(manySaid, "Interrotto: 20 di 60")
	if focus, kept := p.js("document.activeElement.id"), p.js(done); focus != "many-again" || kept != "20" {
		t.Errorf("after cancelling: the keyboard is at %s, %s rows", focus, kept)
	}
	p.shot("many-stopped")
	p.do(chromedp.KeyEvent("\r"))
	p.until(manySaid, "Finito: 60 di 60")
	const cells = `[...document.querySelectorAll("tr th.file")].map((c) => c.textContent).join()`
	if got := strings.Split(p.js(cells), ","); len(got) != 60 || !slices.IsSorted(got) {
		t.Errorf("rows %q", got)
	}
	if words := p.js(`document.getElementById("many-counts").innerText`); !strings.Contains(words, "Valido: 60") || strings.Contains(words, "Non") {
		t.Errorf("counts: %s", words)
	}
	p.shot("many-done")
	p.do(chromedp.Click(chromedp.CSS("#many-form button[value=receipt]")))
	for range 100 {
		if gate.save("application/pdf") != nil {
			break
		}
		p.js("new Promise((done) => setTimeout(done, 50))")
	}
	if err := signedBy(gate.save("application/pdf"), root); err != nil {
		t.Error(err)
	}
	if dir := os.Getenv("ATTESTA_SCREENSHOTS"); dir != "" {
		if err := os.WriteFile(filepath.Join(dir, "receipt.pdf"), gate.save("application/pdf"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	p.do(chromedp.Click(chromedp.CSS("#many-form button[value=verdict]")))
	p.until("document.readyState + location.pathname", "complete/verify/table")
	if rows := p.js(`document.querySelectorAll("tbody tr").length`); rows != "60" {
		t.Errorf("sorted: %s rows", rows)
	}
	p.quiet()
}

// TestFewAndTooManyInBrowser: few files go the way of the form, more than there may
// be are not begun.
func TestFewAndTooManyInBrowser(t *testing.T) {
	p := newPhone(t, "")
	names := papers(t, 6)
	p.do(chromedp.Navigate(p.base + "/verify?lang=it"))
	p.until(`document.getElementById("many").hidden`, "true")
	p.drop(names[:2])
	p.until(`document.readyState + document.querySelector("h1")?.textContent`, "completeEsito delle verifiche")
	p.do(chromedp.Navigate(p.base + "/verify?lang=it"))
	p.until(`document.getElementById("many").hidden`, "true")
	p.js(`document.getElementById("many").dataset.files = "5"`)
	p.do(chromedp.SetUploadFiles(chromedp.CSS("#file"), names), chromedp.Click(chromedp.CSS("#check button")))
	p.until(manySaid, "Hai scelto "+strconv.Itoa(len(names))+" file: in una volta sono al massimo 5")
	p.quiet()
}
