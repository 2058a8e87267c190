package credentials

import (
	"crypto"
	"encoding/base64"
	"io"
	"slices"
)

// maxDisclosed bounds how large claims may become with what is disclosed in them.
const maxDisclosed = 2 << 20

// disclosures are those of one token, by their digests.
type disclosures struct {
	by      map[string]*disclosure
	digests map[string]bool // that were met in the claims
	out     []byte          // the claims as they are put together
}

// disclosure is what the holder discloses: a claim with its name, or an element of
// a list.
type disclosure struct {
	name    string
	element bool
	value   node
}

// disclose puts what is disclosed into its place in the claims (RFC 9901 section
// 7.1 step 3). Digests without a disclosure are left out: nobody can tell what
// they hide from decoys. Every disclosure has exactly one place.
func disclose(payload node, encoded []string, hash crypto.Hash) (node, error) {
	d := disclosures{by: map[string]*disclosure{}, digests: map[string]bool{}}
	for _, text := range encoded {
		one, err := readDisclosure(text)
		if err != nil {
			return node{}, err
		}
		digest := digest(hash, text)
		if d.by[digest] != nil {
			return node{}, badFormat("sdjwt", "the token has the same disclosure twice")
		}
		d.by[digest] = one
	}
	if err := d.object(payload, spot{top: true}); err != nil {
		return node{}, err
	}
	for digest := range d.by {
		if !d.digests[digest] {
			return node{}, badFormat("sdjwt", "the token has a disclosure that belongs to nothing in it")
		}
	}
	claims, err := readClaims(string(d.out)) // refuses a name that stands there twice now
	if err != nil {
		return node{}, badFormat("sdjwt", "the claims of the token do not go together with what is disclosed: %v", err)
	}
	return claims, nil
}

// digestsOf is the hash with which the digests of a token are made (RFC 9901
// section 4.1.1).
func digestsOf(payload node) (crypto.Hash, error) {
	n := payload.t.named(payload.v, "_sd_alg")
	if n == nil {
		return crypto.SHA256, nil
	}
	alg, _ := payload.t.str(n)
	switch alg {
	case "sha-256":
		return crypto.SHA256, nil
	case "sha-384":
		return crypto.SHA384, nil
	case "sha-512":
		return crypto.SHA512, nil
	case "sha3-256", "sha3-384", "sha3-512":
		return 0, badFormat(ErrUnread, "digests made with %s are not read here", alg)
	}
	return 0, badFormat("sdjwt", "the digests of the token are not made with sha-256, sha-384 or sha-512")
}

// digest is that of characters as they were transmitted.
func digest(hash crypto.Hash, text string) string {
	h := hash.New()
	_, _ = io.WriteString(h, text) // a hash takes everything
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil))
}

// readDisclosure reads a JSON list of a salt, for a claim its name, and the value.
func readDisclosure(encoded string) (*disclosure, error) {
	raw, err := decodeBase64URL(encoded)
	if err != nil || len(raw) == 0 {
		return nil, badFormat("sdjwt", "a disclosure of the token is not canonical base64url")
	}
	// The reader of the house reads objects: one with the list as its only member.
	whole, err := readClaims(`{"d":` + string(raw) + `}`)
	if err != nil {
		return nil, badFormat("sdjwt", "a disclosure of the token cannot be read: %v", err)
	}
	list := whole.get("d")
	if len(whole.members()) != 1 || !list.is(isList) || list.count() != 2 && list.count() != 3 {
		return nil, badFormat("sdjwt", "a disclosure of the token is not a list of two or three")
	}
	parts := list.t.below(list.v)
	if _, ok := list.t.str(&parts[0]); !ok {
		return nil, badFormat("sdjwt", "a disclosure of the token has no salt")
	}
	if len(parts) == 2 {
		return &disclosure{element: true, value: node{list.t, &parts[1]}}, nil
	}
	name, ok := list.t.str(&parts[1])
	if !ok || name == "_sd" || name == "..." || name == "_sd_alg" {
		return nil, badFormat("sdjwt", "a disclosure of the token has a name that no claim may have")
	}
	return &disclosure{name: name, value: node{list.t, &parts[2]}}, nil
}

// spot is where in the claims something stands.
type spot struct {
	depth int
	top   bool // the claims themselves
	fixed bool // below a claim of which nothing may be disclosed apart
}

func (p spot) below() spot { return spot{depth: p.depth + 1, fixed: p.fixed} }

// always are the claims that stand in every token in clear (SD-JWT VC section
// 2.2.2.2): without them nobody could tell whether it counts.
var always = []string{"iss", "nbf", "exp", "cnf", "vct", "vct#integrity", "aka_vcts", "status"}

// value writes a value with what is disclosed in it.
func (d *disclosures) value(n node, p spot) error {
	if p.depth > maxDepth || len(d.out) > maxDisclosed {
		return badFormat("sdjwt", "the claims of the token are nested too deeply, or too large")
	}
	switch n.v.kind {
	case isObject:
		return d.object(n, p)
	case isList:
		return d.list(n, p)
	case isText, isSpelled:
		text, _ := n.t.str(n.v)
		d.out = appendQuoted(d.out, []byte(text))
	case isNumber:
		d.out = append(d.out, n.t.textOf(n.v)...)
	case isTrue:
		d.out = append(d.out, "true"...)
	case isFalse:
		d.out = append(d.out, "false"...)
	case isNull:
		d.out = append(d.out, "null"...)
	}
	return nil
}

func (d *disclosures) object(n node, p spot) error {
	d.out = append(d.out, '{')
	open := len(d.out)
	add := func(name string, v node, p spot) error {
		if len(d.out) > open {
			d.out = append(d.out, ',')
		}
		d.out = append(appendQuoted(d.out, []byte(name)), ':')
		return d.value(v, p)
	}
	for i, m := range n.members() {
		name := n.t.nameOf(m.name)
		v := node{n.t, &n.members()[i]}
		below := p.below()
		below.fixed = p.fixed || p.top && slices.Contains(always, name)
		switch {
		case name == "_sd_alg" && p.top, name == "_sd" && !p.fixed:
			continue
		case name == "_sd", name == "...", name == "_sd_alg":
			return badFormat("sdjwt", "the token has %s where it may not stand", name)
		}
		if err := add(name, v, below); err != nil {
			return err
		}
	}
	hidden := n.t.named(n.v, "_sd")
	if hidden == nil {
		d.out = append(d.out, '}')
		return nil
	}
	if hidden.kind != isList {
		return badFormat("sdjwt", "the digests of the token are not a list")
	}
	for i := range n.t.below(hidden) {
		one, err := d.met(n.t, &n.t.below(hidden)[i])
		if err != nil {
			return err
		}
		if one == nil {
			continue
		}
		if one.element || p.top && slices.Contains(always, one.name) {
			return badFormat("sdjwt", "the token discloses a claim in a way that is not allowed")
		}
		if err := add(one.name, one.value, p.below()); err != nil {
			return err
		}
	}
	d.out = append(d.out, '}')
	return nil
}

func (d *disclosures) list(n node, p spot) error {
	d.out = append(d.out, '[')
	open := len(d.out)
	below := n.t.below(n.v)
	for i := range below {
		v := node{n.t, &below[i]}
		if digest := n.t.named(v.v, "..."); digest != nil {
			if v.v.size() != 1 || p.fixed {
				return badFormat("sdjwt", "the token has ... where it may not stand")
			}
			one, err := d.met(n.t, digest)
			if err != nil {
				return err
			}
			if one == nil {
				continue
			}
			if !one.element {
				return badFormat("sdjwt", "the token discloses a claim in the place of an element")
			}
			v = one.value
		}
		if len(d.out) > open {
			d.out = append(d.out, ',')
		}
		if err := d.value(v, p.below()); err != nil {
			return err
		}
	}
	d.out = append(d.out, ']')
	return nil
}

// met finds what is disclosed for a digest, nil where nothing is. No digest may
// stand twice, also not one that hides nothing.
func (d *disclosures) met(t *tree, v *value) (*disclosure, error) {
	digest, ok := t.str(v)
	if !ok || digest == "" {
		return nil, badFormat("sdjwt", "a digest of the token is not a string")
	}
	if d.digests[digest] {
		return nil, badFormat("sdjwt", "the token has the same digest twice")
	}
	d.digests[digest] = true
	return d.by[digest], nil
}
