package keys

import (
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"
)

// Chains remembers which certificates were found to be signed by which others,
// so that the next credential of the same sealer costs no more signatures than
// its own. Only facts about bytes are remembered, each with the time in which it
// holds: who is trusted, for what and since when no more, is asked every time. It
// is safe for concurrent use; nil remembers nothing.
type Chains struct {
	mu    sync.Mutex
	known map[string]fact
	bytes int // of the names
}

// fact is what was found of the certificates that its name is made of.
type fact struct {
	from, until time.Time // in which a chain holds
	length      int       // of the shortest chain
	ends        time.Time
	line        []int // positions
}

// maxRemembered bounds the names of what is remembered, in bytes: one has some
// 2 KB. What is beyond it makes all be forgotten.
const maxRemembered = 4 << 20

// NewChains returns a memory of chains that is empty.
func NewChains() *Chains { return &Chains{known: map[string]fact{}} }

// nameOf writes a kind of question and the certificates it is about. DER says
// where each of them ends.
func nameOf(kind byte, some ...*x509.Certificate) []byte {
	name := append(make([]byte, 0, 4096), kind)
	for _, c := range some {
		name = append(name, c.Raw...)
	}
	return name
}

// The kinds of question.
const (
	askLine   = 'l'
	askChain  = 'c'
	askSelf   = 's'
	maxLength = 32 << 10 // bytes of a name
)

func (m *Chains) recall(name []byte) (fact, bool) {
	if m == nil || len(name) > maxLength {
		return fact{}, false
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	f, ok := m.known[string(name)]
	return f, ok
}

func (m *Chains) remember(name []byte, f fact) {
	if m == nil || len(name) > maxLength {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, there := m.known[string(name)]; !there {
		m.bytes += len(name)
	}
	if m.bytes > maxRemembered {
		clear(m.known)
		m.bytes = len(name)
	}
	m.known[string(name)] = f
}

// Vouch is that of Trust, with what is remembered.
func (m *Chains) Vouch(t Trust, chain []*x509.Certificate, at time.Time) Vouch {
	return m.vouch(t, chain, at, ForSeals)
}

// VouchTime is that of Trust, with what is remembered.
func (m *Chains) VouchTime(t Trust, chain []*x509.Certificate, at time.Time) Vouch {
	return m.vouch(t, chain, at, ForTime)
}

// line keeps, of the certificates beside the first, those that issued it,
// directly or over others of them: the rest cannot be part of its chain.
func (m *Chains) line(chain []*x509.Certificate) []*x509.Certificate {
	if len(chain) < 2 {
		return chain
	}
	name := nameOf(askLine, chain...)
	if f, ok := m.recall(name); ok {
		found := make([]*x509.Certificate, len(f.line))
		for n, position := range f.line {
			found[n] = chain[position]
		}
		return found
	}
	positions := []int{0}
	found, tries := chain[:1:1], search{maxTries}
	for n := 0; n < len(found); n++ {
		for position, c := range chain {
			if position > 0 && !slices.ContainsFunc(found, c.Equal) && tries.issued(c, found[n]) {
				found, positions = append(found, c), append(positions, position)
			}
		}
	}
	m.remember(name, fact{line: positions})
	return found
}

// verify returns how many certificates the shortest chain has, and when the
// first of those below the anchor ends, by the chain that lasts longest. While
// all certificates that it may be made of are in their time, the answer stays
// the same.
func (m *Chains) verify(leaf, anchor *x509.Certificate, between []*x509.Certificate, at time.Time) (shortest int, ends time.Time, err error) {
	all := append([]*x509.Certificate{leaf, anchor}, between...)
	name := nameOf(askChain, all...)
	if f, ok := m.recall(name); ok && !at.Before(f.from) && !at.After(f.until) {
		return f.length, f.ends, nil
	}
	shortest, ends, err = verifyChain(leaf, anchor, between, at)
	if err != nil {
		return shortest, ends, err
	}
	f := fact{from: leaf.NotBefore, until: leaf.NotAfter, length: shortest, ends: ends}
	for _, c := range all[1:] {
		if c.NotBefore.After(f.from) {
			f.from = c.NotBefore
		}
		if c.NotAfter.Before(f.until) {
			f.until = c.NotAfter
		}
	}
	if !at.Before(f.from) && !at.After(f.until) {
		m.remember(name, f)
	}
	return shortest, ends, nil
}

func verifyChain(leaf, anchor *x509.Certificate, others []*x509.Certificate, at time.Time) (shortest int, ends time.Time, err error) {
	between := x509.NewCertPool()
	for _, c := range others {
		between.AddCert(c)
	}
	roots := x509.NewCertPool()
	roots.AddCert(anchor)
	chains, err := leaf.Verify(x509.VerifyOptions{
		Roots: roots, Intermediates: between, CurrentTime: at,
		KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny},
	})
	if err != nil {
		return 0, ends, fmt.Errorf("building the chain: %w", err)
	}
	for _, c := range chains {
		if slices.ContainsFunc(c[1:], weak) {
			continue
		}
		if shortest == 0 || len(c) < shortest {
			shortest = len(c)
		}
		first := leaf.NotAfter
		for _, above := range c[1:max(1, len(c)-1)] {
			if above.NotAfter.Before(first) {
				first = above.NotAfter
			}
		}
		if first.After(ends) {
			ends = first
		}
	}
	if shortest == 0 {
		return 0, ends, errors.New("building the chain: the key of an authority is too weak")
	}
	return shortest, ends, nil
}

// weak tells whether the key of an authority is one that others may find, so
// that whatever is signed with it can be theirs.
func weak(c *x509.Certificate) bool {
	key, ok := c.PublicKey.(*rsa.PublicKey)
	return ok && key.N.BitLen() < minRSABits
}

// SameHouse tells whether a second certificate, such as that of a status list,
// was issued to the same organisation under the same authority as a first one:
// it is the same certificate, or both chains lead to the same self-signed
// certificate and name the same organisation.
func SameHouse(first, second []*x509.Certificate, at time.Time) bool {
	return (*Chains)(nil).SameHouse(first, second, at)
}

// SameHouse is the function of that name, with what is remembered.
func (m *Chains) SameHouse(first, second []*x509.Certificate, at time.Time) bool {
	if len(first) == 0 || len(second) == 0 || maySign(second[0]) != nil {
		return false
	}
	if first[0].Equal(second[0]) {
		return true
	}
	root := first[len(first)-1]
	if !root.IsCA || !affordable(root) || !m.selfSigned(root) || organisation(first[0]) == "" || organisation(first[0]) != organisation(second[0]) {
		return false
	}
	return m.underRoot(first, root, first[0].NotBefore) && m.underRoot(second, root, at)
}

func (m *Chains) selfSigned(c *x509.Certificate) bool {
	name := nameOf(askSelf, c)
	if _, ok := m.recall(name); ok {
		return true
	}
	if c.CheckSignatureFrom(c) != nil {
		return false
	}
	m.remember(name, fact{})
	return true
}

func (m *Chains) underRoot(chain []*x509.Certificate, root *x509.Certificate, at time.Time) bool {
	_, _, err := m.verify(chain[0], root, m.line(chain)[1:], at)
	return err == nil
}
