package issuer_test

import (
	"bytes"
	"compress/zlib"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"sync"
	"testing"
	"time"

	"attesta/credentials"
	"attesta/intake"
	"attesta/issuer"
	"attesta/keys"
	"attesta/registry"
	"attesta/status"
)

// tokenClaims are the claims of a Token Status List, with its bytes unpacked.
type tokenClaims struct {
	Sub           string
	Iat, Exp, TTL int64
	List          struct {
		Bits        int
		Lst         string
		Aggregation string `json:"aggregation_uri"`
	} `json:"status_list"`
	array []byte
}

func (c tokenClaims) value(i uint32) status.Value {
	return status.Value(c.array[i/4] >> (i % 4 * 2) & 3)
}

// tokenOf reads a published list with the standard library alone.
func tokenOf(t testing.TB, h *house, p issuer.Published) (c tokenClaims) {
	t.Helper()
	e, err := credentials.ParseCompact(p.Token, credentials.TokenListType)
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Verify(); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(e.Payload(), &c); err != nil {
		t.Fatal(err)
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(c.List.Lst)
	if err != nil {
		t.Fatal(err)
	}
	z, err := zlib.NewReader(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	if c.array, err = io.ReadAll(z); err != nil {
		t.Fatal(err)
	}
	if now := h.clock.now().Unix(); c.Iat > now || c.Exp-c.Iat != int64(issuer.ListLife/time.Second) || c.Exp <= now {
		t.Errorf("signed at %d until %d, read at %d", c.Iat, c.Exp, now)
	}
	return c
}

func (h *house) tokenList(t testing.TB, list string) (issuer.Published, tokenClaims) {
	t.Helper()
	p, err := h.TokenList(t.Context(), list)
	if err != nil {
		t.Fatal(err)
	}
	return p, tokenOf(t, h, p)
}

func (h *house) mark(t testing.TB, r *registry.Record, to status.Value) {
	t.Helper()
	if _, err := h.registry.SetStatus(t.Context(), registry.Change{Credential: r.Credential, To: to, Reason: "other", By: "operator"}, theDay(t)); err != nil {
		t.Fatal(err)
	}
}

// Three credentials on one list: what is published follows each change at once,
// says it in the entry of that credential and in no other, and in the members
// that draft-ietf-oauth-status-list asks for.
func TestATokenListFollowsAtOnce(t *testing.T) {
	h := school(t)
	var records []*registry.Record
	for _, o := range h.issue(t, h.row(t, goodRow, "R2,TOT25-002,SN-11,SN-11/2026/X,2026-05-29,100,passed,", "R3,TOT25-003,SN-11,SN-11/2026/X,2026-05-29,100,passed,")) {
		records = append(records, o.Record)
	}
	list, want := records[0].List, map[uint32]status.Value{}
	tags := map[string]string{}
	for _, step := range []struct {
		n  int
		to status.Value
	}{{0, status.Valid}, {0, status.Suspended}, {2, status.Revoked}, {0, status.Valid}, {1, status.Suspended}, {1, status.Revoked}, {0, status.Revoked}} {
		h.mark(t, records[step.n], step.to)
		want[records[step.n].Index] = step.to
		p, c := h.tokenList(t, list)
		if c.Sub != publicURL+"/status/"+list || c.Sub != h.TokenListURL(list) || c.List.Bits != 2 || c.List.Aggregation != publicURL+"/status/aggregation" ||
			p.MediaType != "application/statuslist+jwt" || len(c.array) != registry.ListSize/4 {
			t.Fatalf("%+v", c)
		}
		if c.TTL*int64(time.Second)+int64(p.MaxAge) != int64(issuer.ListBound) || issuer.ListBound != 5*time.Minute {
			t.Errorf("ttl %d s and max-age %v are not %v", c.TTL, p.MaxAge, issuer.ListBound)
		}
		for i := range uint32(registry.ListSize) {
			if c.value(i) != want[i] {
				t.Fatalf("entry %d is %v, want %v", i, c.value(i), want[i])
			}
		}
		again, _ := h.tokenList(t, list)
		if !bytes.Equal(again.Token, p.Token) || again.ETag != p.ETag || tags[p.ETag] != "" {
			t.Errorf("the ETag %s is not that of one content", p.ETag)
		}
		tags[p.ETag] = c.List.Lst
	}
	h.mark(t, records[0], status.Revoked) // it is already
	if p, _ := h.tokenList(t, list); tags[p.ETag] == "" {
		t.Error("another ETag although nothing changed")
	}
}

// Nothing is read of a list but its version while nothing changes, whatever is
// asked how often; what another server changed is seen at the next request.
func TestAServerSeesWhatAnotherChanged(t *testing.T) {
	h := school(t)
	record := h.issue(t, h.row(t, goodRow))[0].Record
	other := &house{Issuer: h.newIssuer(t, plainPicture), registry: h.registry, store: h.store}
	other.clock.set(theDay(t))
	for _, to := range []status.Value{status.Suspended, status.Valid, status.Suspended, status.Revoked} {
		h.mark(t, record, to)
		if _, c := h.tokenList(t, record.List); c.value(record.Index) != to {
			t.Errorf("here it is %v, want %v", c.value(record.Index), to)
		}
		if _, c := other.tokenList(t, record.List); c.value(record.Index) != to {
			t.Errorf("at the other it is %v, want %v", c.value(record.Index), to)
		}
		read, asked := h.store.read.Load(), h.store.asked.Load()
		for range 10 {
			h.tokenList(t, record.List)
			other.tokenList(t, record.List)
		}
		if h.store.read.Load() != read || h.store.asked.Load() != asked+20 {
			t.Errorf("%d entries were read in %d questions", h.store.read.Load()-read, h.store.asked.Load()-asked)
		}
	}
}

// Readers take what is published while it changes: each gets a whole list that is
// no older than its question, and however many ask, a state is signed once.
func TestReadersWhileAListIsPublished(t *testing.T) {
	h := school(t)
	record := h.issue(t, h.row(t, goodRow))[0].Record
	h.tokenList(t, record.List)
	var done sync.WaitGroup
	stop := make(chan struct{})
	for range 4 {
		done.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if _, err := h.TokenList(t.Context(), record.List); err != nil {
					t.Error(err)
					return
				}
				if _, err := h.StatusList(t.Context(), record.List, status.Suspension); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	for n := range 40 {
		to := []status.Value{status.Suspended, status.Valid}[n%2]
		h.mark(t, record, to)
		var mu sync.Mutex
		tags := map[string]bool{}
		var askers sync.WaitGroup
		for range 4 {
			askers.Go(func() {
				p, err := h.TokenList(t.Context(), record.List)
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				defer mu.Unlock()
				tags[p.ETag] = true
			})
		}
		askers.Wait()
		if _, c := h.tokenList(t, record.List); c.value(record.Index) != to || len(tags) != 1 {
			t.Fatalf("change %d: %v, and %d different lists", n, c.value(record.Index), len(tags))
		}
	}
	close(stop)
	done.Wait()
}

// A database that was set back under a running server: what is published is what
// is stored now, also when it comes to the same version by another way.
func TestAListFollowsARegistryThatWasSetBack(t *testing.T) {
	h := school(t)
	record := h.issue(t, h.row(t, goodRow))[0].Record
	h.mark(t, record, status.Suspended)
	h.mark(t, record, status.Revoked)
	first, c := h.tokenList(t, record.List)
	if c.value(record.Index) != status.Revoked {
		t.Fatal("not revoked")
	}
	slow := 0
	h.store.list = func(l registry.StatusList) registry.StatusList {
		if slow++; slow == 1 { // read before the last change, and late to the turn
			l.Version, l.Entries = 1, []registry.StatusEntry{{Index: record.Index, Value: status.Suspended}}
		}
		return l
	}
	if p, c := h.tokenList(t, record.List); c.value(record.Index) != status.Revoked || p.ETag != first.ETag || slow != 2 {
		t.Errorf("who read first and came last wrote over what is newer: %v", c.value(record.Index))
	}
	h.store.list = func(l registry.StatusList) registry.StatusList {
		l.Version, l.Entries = 1, []registry.StatusEntry{{Index: record.Index, Value: status.Suspended}}
		return l
	}
	if _, c := h.tokenList(t, record.List); c.value(record.Index) != status.Suspended {
		t.Error("the older state was not taken")
	}
	h.store.list = func(l registry.StatusList) registry.StatusList {
		if l.Version = 1; l.Entries != nil {
			l.Entries = []registry.StatusEntry{{Index: 7, Value: status.Revoked}}
		}
		return l
	}
	h.clock.set(theDay(t).Add(time.Hour))
	if _, c := h.tokenList(t, record.List); c.value(record.Index) != status.Valid || c.value(7) != status.Revoked {
		t.Error("a list that changed behind its version was not read within the hour")
	}
	h.store.list = func(l registry.StatusList) registry.StatusList {
		l.Version, l.Entries = 9, []registry.StatusEntry{{Index: registry.ListSize, Value: status.Revoked}}
		return l
	}
	if _, err := h.TokenList(t.Context(), record.List); err == nil {
		t.Error("an entry outside the list was published")
	}
}

// S9: what is published is the same whether none or many of its entries are in
// use, and what a credential points at is the same for all of its list.
func TestUnusedEntriesLookLikeValidOnes(t *testing.T) {
	h := school(t)
	first := h.issue(t, h.row(t, goodRow))[0].Record
	_, one := h.tokenList(t, first.List)
	empty := status.NewRegister(registry.ListSize).TokenList(status.NewPacker()).String()
	rest := h.issue(t, h.completions(t, "completions_tot.csv", intake.ISO))
	_, many := h.tokenList(t, first.List)
	if one.List.Lst != empty || many.List.Lst != empty {
		t.Error("a list tells which of its entries are in use")
	}
	lists := map[string]int{}
	for _, o := range rest {
		if o.Record == nil {
			continue
		}
		_, parsed := h.sealed(t, o.Record)
		for _, s := range parsed.View().Status {
			lists[s.List]++
		}
	}
	if len(lists) != 2 || lists[h.ListURL(first.List, status.Revocation)] < 20 || lists[h.ListURL(first.List, status.Suspension)] < 20 {
		t.Errorf("the credentials of a class point at %v", lists)
	}
	if registry.ListSize < 1<<17 {
		t.Error("the list is too small to hide in")
	}
}

// K2: a Token Status List is signed by the house that sealed, with its key of the
// moment.
func TestATokenListIsOfTheHouse(t *testing.T) {
	h := school(t)
	record := h.issue(t, h.row(t, goodRow))[0].Record
	owner, err := issuer.OwnerOf(providers(t)[0])
	if err != nil {
		t.Fatal(err)
	}
	h.tokenList(t, record.List)
	fresh, err := h.Keys.Rotate(keys.Status, owner, h.clock.now(), time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	p, _ := h.tokenList(t, record.List)
	e, err := credentials.ParseCompact(p.Token, credentials.TokenListType)
	if err != nil {
		t.Fatal(err)
	}
	_, parsed := h.sealed(t, record)
	if !e.Leaf().Equal(fresh.Certificate()) || !keys.SameHouse(parsed.Envelope.Chain, e.Chain, h.clock.now()) {
		t.Errorf("signed by %v", e.Leaf().Subject)
	}
}

func TestAggregation(t *testing.T) {
	h := school(t)
	all := func() (issuer.Published, []string) {
		t.Helper()
		p, err := h.Aggregation(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var a struct {
			Lists []string `json:"status_lists"`
		}
		if err := json.Unmarshal(p.Token, &a); err != nil || a.Lists == nil {
			t.Fatalf("%v: %s", err, p.Token)
		}
		return p, a.Lists
	}
	p, lists := all()
	if len(lists) != 0 || p.MediaType != "application/json" || p.ETag == "" || p.MaxAge <= 0 || p.MaxAge > issuer.ListBound {
		t.Errorf("%+v: %v", p, lists)
	}
	record := h.issue(t, h.row(t, goodRow))[0].Record
	h.clock.set(theDay(t).Add(issuer.ListMaxAge))
	after, lists := all()
	if len(lists) != 1 || lists[0] != h.TokenListURL(record.List) || after.ETag == p.ETag {
		t.Errorf("%v", lists)
	}
	h.clock.set(theDay(t).Add(2 * issuer.ListMaxAge))
	if same, _ := all(); same.ETag != after.ETag {
		t.Error("another ETag although nothing changed")
	}
	pages := 0
	h.store.lists = func(after string, limit int) (page []registry.StatusList) {
		pages++
		from := 0
		_, _ = fmt.Sscanf(after, "L%d", &from)
		for n := from + 1; n <= 2500 && len(page) < limit; n++ {
			page = append(page, registry.StatusList{ID: fmt.Sprintf("L%d", n)})
		}
		return page
	}
	h.clock.set(theDay(t).Add(3 * issuer.ListMaxAge))
	if _, lists := all(); len(lists) != 2500 || pages != 6 || lists[2499] != publicURL+"/status/L2500" {
		t.Errorf("%d lists in %d pages", len(lists), pages)
	}
	if all(); pages != 6 {
		t.Error("it was made again within a minute")
	}
	h.store.lists = func(_ string, limit int) []registry.StatusList { return make([]registry.StatusList, limit) }
	h.clock.set(theDay(t).Add(4 * issuer.ListMaxAge))
	if _, err := h.Aggregation(context.Background()); err == nil {
		t.Error("a list of lists without end was published")
	}
}
