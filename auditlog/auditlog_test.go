package auditlog

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// key is a log key of the tests.
func key(n byte) Key { return sha256.Sum256([]byte{n}) }

func event(n int) Event {
	return Event{Seq: uint64(n), At: time.Unix(1_770_000_000+int64(n), 0).UTC(), Kind: "seal", What: fmt.Sprint("urn:credential:", n), By: "Zqx-Canary", Why: "other"}
}

// memory is a store of the tests.
type memory struct {
	leaves []Leaf
	nodes  map[int][]Hash
	edge   Edge
}

func grown(n int) *memory {
	m := &memory{nodes: map[int][]Hash{}}
	for i := range n {
		l, _ := key(1).Open(event(i + 1))
		m.leaves = append(m.leaves, l)
		for _, x := range m.edge.Append(l.Hash()) {
			m.nodes[x.Level] = append(m.nodes[x.Level], x.Hash)
		}
	}
	return m
}

func (m *memory) Leaves(n uint64, count int) ([]Hash, error) {
	var out []Hash
	for _, l := range m.leaves[n:min(n+uint64(count), uint64(len(m.leaves)))] {
		out = append(out, l.Hash())
	}
	return out, nil
}

func (m *memory) Nodes(level int, n uint64, count int) ([]Hash, error) {
	all := m.nodes[level]
	return all[min(n, uint64(len(all))):min(n+uint64(count), uint64(len(all)))], nil
}

// naive is the root over leaves as RFC 6962 section 2.1 says it, word by word.
func naive(leaves []Leaf) Hash {
	switch len(leaves) {
	case 0:
		return sha256.Sum256(nil)
	case 1:
		return sha256.Sum256(append([]byte{0}, leaves[0].Text()...))
	}
	half := 1
	for 2*half < len(leaves) {
		half *= 2
	}
	left, right := naive(leaves[:half]), naive(leaves[half:])
	return sha256.Sum256(append(append([]byte{1}, left[:]...), right[:]...))
}

func TestEdgeIsTheTree(t *testing.T) {
	for _, n := range []int{0, 1, 2, 3, 7, 8, 255, 256, 257, 511, 512, 1000} {
		m := grown(n)
		if want := naive(m.leaves); m.edge.Root() != want || m.edge.Size() != uint64(n) {
			t.Errorf("%d leaves: %d with the root %v, want %v", n, m.edge.Size(), m.edge.Root(), want)
		}
		if got := len(m.nodes[1]); got != n/TileSize {
			t.Errorf("%d leaves: %d nodes are stored", n, got)
		}
		for i, h := range m.nodes[1] {
			if h != naive(m.leaves[i*TileSize:(i+1)*TileSize]) {
				t.Errorf("node %d is another", i)
			}
		}
		again, err := ParseEdge(m.edge.Bytes())
		if err != nil || again.Root() != m.edge.Root() || again.Size() != m.edge.Size() {
			t.Errorf("%d leaves: written and read it is %v, %v", n, again, err)
		}
	}
}

// A leaf of the second stored level, which takes 65,536 leaves.
func TestEdgeOfLevels(t *testing.T) {
	m := grown(TileSize*TileSize + 300)
	if len(m.nodes[2]) != 1 || m.nodes[2][0] != naive(m.leaves[:TileSize*TileSize]) {
		t.Error("the node of level 2 is missing or another")
	}
	tree := NewTree(&m.edge, m)
	for _, seq := range []uint64{1, 65_535, 65_536, 65_537, 65_836} {
		proof, err := tree.Inclusion(seq, uint64(tree.N))
		if err == nil {
			err = CheckInclusion(proof, uint64(tree.N), tree.Hash, m.leaves[seq-1])
		}
		if err != nil {
			t.Errorf("entry %d: %v", seq, err)
		}
	}
}

// R2, and an insider who edits the log: what was changed, removed or put in is
// met when a proof reads it, whatever proof it is.
func TestTreeMeetsWhatWasChanged(t *testing.T) {
	swap := func(m *memory) { m.leaves[3], m.leaves[4] = m.leaves[4], m.leaves[3] }
	for name, damage := range map[string]func(*memory){
		"nothing":       func(*memory) {},
		"changed":       func(m *memory) { m.leaves[3].At = m.leaves[3].At.Add(time.Second) },
		"kind":          func(m *memory) { m.leaves[3].Kind = "revoke" },
		"removed":       func(m *memory) { m.leaves = slices.Delete(m.leaves, 3, 4) },
		"put in":        func(m *memory) { m.leaves = slices.Insert(m.leaves, 3, m.leaves[4]) },
		"two swapped":   swap,
		"at the end":    func(m *memory) { m.leaves[599].Commitment[0] ^= 1 },
		"end cut off":   func(m *memory) { m.leaves = m.leaves[:599] },
		"a stored node": func(m *memory) { m.nodes[1][0][0] ^= 1 },
		"no nodes":      func(m *memory) { m.nodes = nil },
	} {
		m := grown(600)
		tree := NewTree(&m.edge, m)
		damage(m)
		_, err1 := tree.Inclusion(5, 600)
		_, err2 := tree.Consistency(7, 600)
		_, err3 := tree.RootAt(6)
		for i, err := range []error{err1, err2, err3} {
			if want := name != "nothing"; errors.Is(err, ErrDiffers) != want || !want && err != nil {
				t.Errorf("%s, question %d: %v", name, i+1, err)
			}
		}
	}
}

// R1: a leaf says nothing of what it is about, and entries that say the same
// look different.
func TestLeafHoldsNothingPersonal(t *testing.T) {
	k := key(1)
	a, open := k.Open(event(1))
	for _, hidden := range []string{"urn:", "Zqx", "other"} {
		if strings.Contains(string(a.Text()), hidden) {
			t.Errorf("the leaf shows %q: %q", hidden, a.Text())
		}
	}
	if want := fmt.Sprintf("attesta log 1\n1\n1770000001\nseal\n%s\n", hex.EncodeToString(a.Commitment[:])); string(a.Text()) != want {
		t.Errorf("the leaf is %q, want %q", a.Text(), want)
	}
	same := event(1)
	same.Seq = 2
	if b, _ := k.Open(same); b.Commitment == a.Commitment {
		t.Error("two entries that say the same have one commitment")
	}
	if b, _ := key(2).Open(event(1)); b.Commitment == a.Commitment {
		t.Error("two logs have one commitment")
	}
	if !open.Opens(a) {
		t.Error("the opening does not open")
	}
	for _, change := range []func(*Opening){
		func(o *Opening) { o.What += "0" },
		func(o *Opening) { o.By, o.Why = o.By+o.Why[:1], o.Why[1:] }, // lengths count
		func(o *Opening) { o.Kind = "revoke" },
		func(o *Opening) { o.Salt[0] ^= 1 },
	} {
		o := open
		if change(&o); o.Opens(a) {
			t.Errorf("%+v opens the leaf too", o)
		}
	}
	for _, kind := range []string{"access", "learners"} {
		ev := event(3)
		ev.Kind = kind
		l, o := k.Open(ev)
		if l.Kind != Internal || o.Kind != kind || !o.Opens(l) {
			t.Errorf("%s is shown as %q", kind, l.Kind)
		}
	}
}

// pair is a signing key of the tests.
type pair struct{ ed25519.PrivateKey }

func (p pair) Sign(m []byte) ([]byte, error) { return ed25519.Sign(p.PrivateKey, m), nil }
func (p pair) Public() ed25519.PublicKey     { return p.PrivateKey.Public().(ed25519.PublicKey) }

func signingKey(n byte) pair {
	seed := sha256.Sum256([]byte{n})
	return pair{ed25519.NewKeyFromSeed(seed[:])}
}

const origin = "attestati.example.org/log"

func verifierKey(t testing.TB, name string, p pair) string {
	t.Helper()
	k, err := VerifierKey(name, p.Public())
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func signed(t testing.TB, c Checkpoint, p pair) []byte {
	t.Helper()
	b, err := SignCheckpoint(c, p)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestCheckpoints(t *testing.T) {
	c := Checkpoint{Origin: origin, Size: 12, Root: sha256.Sum256([]byte("root"))}
	note := signed(t, c, signingKey(1))
	k := verifierKey(t, origin, signingKey(1))
	if got, err := OpenCheckpoint(note, k+"\n"); err != nil || got != c {
		t.Errorf("%+v, %v", got, err)
	}
	if got, err := Unverified(note); err != nil || got != c {
		t.Errorf("unverified: %+v, %v", got, err)
	}
	again := signed(t, c, signingKey(1))
	both := append(bytes.Clone(signed(t, c, signingKey(2))), note[bytes.LastIndex(note, []byte("\n\n"))+2:]...)
	if got, err := OpenCheckpoint(both, k); err != nil || got != c || !bytes.Equal(note, again) {
		t.Errorf("with the signature of another: %+v, %v", got, err)
	}
	replaced := func(old, fresh string) []byte { return []byte(strings.Replace(string(note), old, fresh, 1)) }
	other := c
	other.Origin = "other.example.org/log"
	for name, x := range map[string]struct {
		note []byte
		key  string
		want error
	}{
		"another key":     {note, verifierKey(t, origin, signingKey(2)), ErrSigner},
		"another size":    {replaced("\n12\n", "\n13\n"), k, ErrSigner},
		"another name":    {note, verifierKey(t, "other.example.org/log", signingKey(1)), ErrSigner},
		"another log":     {replaced(origin+"\n", "other.example.org/log\n"), k, ErrSigner},
		"no signature":    {[]byte(c.Text()), k, ErrInvalid},
		"no key":          {note, "attestati", ErrKey},
		"nothing":         {nil, k, ErrInvalid},
		"a long one":      {bytes.Repeat([]byte("x\n"), maxNote), k, ErrInvalid},
		"of other origin": {signed(t, other, signingKey(1)), k, ErrSigner},
	} {
		if got, err := OpenCheckpoint(x.note, x.key); !errors.Is(err, x.want) || got != (Checkpoint{}) {
			t.Errorf("%s: %+v, %v, want %v", name, got, err, x.want)
		}
	}
	for address, want := range map[string]string{
		"https://attestati.example.org": origin, "http://127.0.0.1:8080": "127.0.0.1:8080/log", "https://h/p/": "h/p/log", "x": "", "": "",
	} {
		if got, err := Origin(address); got != want || (err == nil) != (want != "") {
			t.Errorf("%q: %q, %v", address, got, err)
		}
	}
}

// proven is a proof over a log of so many entries, and the earlier checkpoint.
func proven(t testing.TB, size, old uint64) (Proof, []byte) {
	t.Helper()
	m := grown(int(size))
	tree := NewTree(&m.edge, m)
	p := Proof{Format: Format, Checkpoint: string(signed(t, Checkpoint{origin, size, tree.Hash}, signingKey(1)))}
	for _, n := range []uint64{1, size} {
		l, o := key(1).Open(event(int(n)))
		proof, err := tree.Inclusion(n, size)
		if err != nil {
			t.Fatal(err)
		}
		p.Entries = append(p.Entries, Entry{string(l.Text()), o, proof})
	}
	root, err := tree.RootAt(old)
	if err != nil {
		t.Fatal(err)
	}
	since := signed(t, Checkpoint{origin, old, root}, signingKey(1))
	if old > 0 {
		hashes, err := tree.Consistency(old, size)
		if err != nil {
			t.Fatal(err)
		}
		p.Since = &Growth{old, hashes}
	}
	return p, since
}

func TestProofs(t *testing.T) {
	k := verifierKey(t, origin, signingKey(1))
	for _, old := range []uint64{0, 1, 256, 299, 300} {
		p, since := proven(t, 300, old)
		raw, err := p.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		if p, err = ParseProof(raw); err != nil {
			t.Fatal(err)
		}
		got, err := p.Check(k, since)
		if err != nil || got.Since == nil || got.Since.Size != old || got.Checkpoint.Size != 300 {
			t.Errorf("since %d: %+v, %v", old, got, err)
		}
		if diff := cmp.Diff([]Event{event(1), event(300)}, got.Entries); diff != "" {
			t.Errorf("since %d (-want +got):\n%s", old, diff)
		}
	}
}

// K1, J14, R2: each part of a proof counts.
func TestProofsThatDoNotHold(t *testing.T) {
	k := verifierKey(t, origin, signingKey(1))
	_, otherSince := proven(t, 300, 100)
	forked := signed(t, Checkpoint{origin, 200, Hash{1}}, signingKey(1))
	same := signed(t, Checkpoint{origin, 300, Hash{1}}, signingKey(1))
	for name, x := range map[string]struct {
		change func(p *Proof)
		since  []byte
		want   error
	}{
		"what it is about":      {func(p *Proof) { p.Entries[0].Opening.What = "urn:credential:2" }, nil, ErrDiffers},
		"who":                   {func(p *Proof) { p.Entries[0].Opening.By = "nobody" }, nil, ErrDiffers},
		"when":                  {func(p *Proof) { p.Entries[0].Leaf = strings.Replace(p.Entries[0].Leaf, "1770000001", "1770000000", 1) }, nil, ErrDiffers},
		"its number":            {func(p *Proof) { p.Entries[0].Leaf = strings.Replace(p.Entries[0].Leaf, "\n1\n", "\n2\n", 1) }, nil, ErrDiffers},
		"number beyond":         {func(p *Proof) { p.Entries[0].Leaf = strings.Replace(p.Entries[0].Leaf, "\n1\n", "\n301\n", 1) }, nil, ErrDiffers},
		"its place":             {func(p *Proof) { p.Entries[0].Inclusion[0][0] ^= 1 }, nil, ErrDiffers},
		"no place":              {func(p *Proof) { p.Entries[0].Inclusion = nil }, nil, ErrDiffers},
		"a leaf that is none":   {func(p *Proof) { p.Entries[0].Leaf = "attesta log 2\n" }, nil, ErrInvalid},
		"the checkpoint":        {func(p *Proof) { p.Checkpoint = strings.Replace(p.Checkpoint, "\n300\n", "\n301\n", 1) }, nil, ErrSigner},
		"an older checkpoint":   {func(p *Proof) { old, _ := proven(t, 299, 0); p.Checkpoint = old.Checkpoint }, nil, ErrDiffers},
		"no checkpoint":         {func(p *Proof) { p.Checkpoint = "" }, nil, ErrInvalid},
		"not for this earlier":  {func(*Proof) {}, otherSince, ErrNoGrowth},
		"no growth":             {func(p *Proof) { p.Since = nil }, otherSince, ErrNoGrowth},
		"a fork":                {func(*Proof) {}, forked, ErrDiffers},
		"a fork of one size":    {func(*Proof) {}, same, ErrDiffers},
		"growth that is none":   {func(p *Proof) { p.Since.Hashes[0][0] ^= 1 }, nil, nil}, // nobody asked
		"earlier of a stranger": {func(*Proof) {}, signed(t, Checkpoint{origin, 200, Hash{1}}, signingKey(2)), ErrSigner},
		"earlier that is later": {func(*Proof) {}, signed(t, Checkpoint{origin, 301, Hash{1}}, signingKey(1)), ErrNoGrowth},
	} {
		p, _ := proven(t, 300, 200)
		x.change(&p)
		got, err := p.Check(k, x.since)
		if !errors.Is(err, x.want) || err != nil && (got.Entries != nil || got.Since != nil) {
			t.Errorf("%s: %+v, %v, want %v", name, got, err, x.want)
		}
	}
}

func TestParseProofRefuses(t *testing.T) {
	p, _ := proven(t, 3, 1)
	good, err := p.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	for name, raw := range map[string][]byte{
		"nothing":       nil,
		"rubbish":       []byte("\x00\xff{"),
		"another":       []byte(`{"format":"attesta-log-proof-2","checkpoint":"","entries":[]}`),
		"unknown names": bytes.Replace(good, []byte(`"entries"`), []byte(`"x": 1, "entries"`), 1),
		"two":           append(bytes.Clone(good), good...),
		"short hash":    bytes.Replace(good, []byte(`"salt": "`), []byte(`"salt": "AAAA`), 1),
		"too long":      bytes.Repeat([]byte(" "), MaxProof+1),
		"many entries":  []byte(`{"format":"` + Format + `","checkpoint":"","entries":[` + strings.Repeat(`{},`, MaxEntries) + `{}]}`),
	} {
		if _, err := ParseProof(raw); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzParseLeaf(f *testing.F) {
	l, _ := key(1).Open(event(7))
	f.Add(l.Text())
	f.Add([]byte("attesta log 1\n0\n0\n-\n\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if l, err := ParseLeaf(b); err == nil && !bytes.Equal(l.Text(), b) {
			t.Errorf("%q is written as %q", b, l.Text())
		}
	})
}

func FuzzParseEdge(f *testing.F) {
	m := grown(300)
	f.Add(m.edge.Bytes())
	f.Add([]byte{0, 0, 0, 0, 0, 0, 0, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := ParseEdge(b)
		if err == nil && len(b) > 0 && !bytes.Equal(e.Bytes(), b) {
			t.Errorf("%x is written as %x", b, e.Bytes())
		}
		if err == nil {
			e.Append(Hash{})
			_ = e.Root()
		}
	})
}

func FuzzCheckpoint(f *testing.F) {
	c := Checkpoint{origin, 7, Hash{1}}
	f.Add(signed(f, c, signingKey(1)))
	f.Add([]byte(c.Text() + "\n— x AAAA\n"))
	k := verifierKey(f, origin, signingKey(1))
	f.Fuzz(func(t *testing.T, b []byte) {
		if got, err := OpenCheckpoint(b, k); err == nil && got != c {
			t.Errorf("%q opens as %+v", b, got)
		}
		if got, err := Unverified(b); err == nil && !strings.HasPrefix(string(b), got.Text()) {
			t.Errorf("%q reads as %+v", b, got)
		}
		if got, err := parseCheckpoint(string(b)); err == nil && got.Text() != string(b) {
			t.Errorf("%q is written as %q", b, got.Text())
		}
	})
}

func FuzzProof(f *testing.F) {
	p, since := proven(f, 5, 3)
	raw, err := p.Bytes()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(raw)
	f.Add([]byte(`{"format":"attesta-log-proof-1","since":{"size":3,"hashes":[]},"entries":[]}`))
	k := verifierKey(f, origin, signingKey(1))
	known := []Event{event(1), event(5)}
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := ParseProof(b)
		if err != nil {
			return
		}
		for _, since := range [][]byte{nil, since} {
			got, err := p.Check(k, since)
			if err != nil {
				continue
			}
			for _, ev := range got.Entries { // only what the log says can come out
				if !slices.ContainsFunc(known, func(k Event) bool { return k == ev }) {
					t.Errorf("%q proves %+v", b, ev)
				}
			}
		}
	})
}
