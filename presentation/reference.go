package presentation

import (
	"net/url"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	maxName  = 100 // characters of a name that is shown
	maxShown = 300 // characters of an address or a text that is shown
	maxTyped = 120 // bytes of a code, however it is written
)

// Address is where a text leads that is not a page of this installation where a
// credential is checked. It is shown and never opened: a forged paper can carry
// any address.
type Address struct {
	Text string `json:"text"` // the whole of it, harmless to show, cut after 300 characters
	// Host is the name of the site as people read it, ASCII as computers do
	// (RFC 3492). They differ where a name has other letters than a to z, which
	// can look like those of another name.
	Host  string `json:"host,omitempty"`
	ASCII string `json:"host_ascii,omitempty"`
	Ours  bool   `json:"ours,omitempty"` // of this site, and no page where a credential is checked
}

var (
	web    = regexp.MustCompile(`^(?i:https?)://`)
	domain = regexp.MustCompile(`^[\pL\pN-]+(\.[\pL\pN-]+)*\.\pL[\pL\pN-]+(:[0-9]{1,5})?([/?#].*)?$`)
	exact  = regexp.MustCompile(`^(?i:[A-Z2-7]{26})$`)
	spoken = regexp.MustCompile(`^(\?lang=[a-z]{2})?$`)
)

// AddressIn reads a web address, with its scheme or without, or returns nil for
// what is none or cannot be read in one way only.
func AddressIn(text string) *Address {
	whole := text
	if !web.MatchString(text) {
		if !domain.MatchString(text) {
			return nil
		}
		whole = "https://" + text
	}
	if !utf8.ValidString(whole) || strings.ContainsFunc(whole, odd) {
		return nil
	}
	u, err := url.Parse(whole)
	if err != nil || u.Hostname() == "" {
		return nil
	}
	host := strings.ToLower(u.Hostname())
	a := &Address{Text: clean(text, maxShown), Host: clean(unicodeHost(host), maxShown), ASCII: asciiHost(host)}
	if a.ASCII == "" || strings.ContainsFunc(host, odd) {
		return nil
	}
	return a
}

// odd tells of a character that browsers drop or change in an address, so that
// they would open another one.
func odd(c rune) bool {
	return c <= ' ' || c == '\\' || c == 0x7F || unicode.IsSpace(c) || hidden(c)
}

// ownHandle reads an address of this installation: the handle of a page where a
// credential is checked, or whether it is another page. Scheme, host and port
// must be those of the public address; capitals do not matter, because a QR of
// capitals is smaller.
func (r *Reader) ownHandle(text string) (handle string, ours bool) {
	if r.own == "" {
		return "", false
	}
	if exact.MatchString(text) {
		return HandleIn(text), true
	}
	if len(text) < len(r.own) || !strings.EqualFold(text[:len(r.own)], r.own) {
		return "", false
	}
	rest := text[len(r.own):]
	if rest != "" && !strings.ContainsRune("/?#", rune(rest[0])) {
		return "", false
	}
	if len(rest) >= 29 && strings.EqualFold(rest[:3], "/v/") && exact.MatchString(rest[3:29]) && spoken.MatchString(rest[29:]) {
		return HandleIn(rest[3:29]), true
	}
	return "", true
}

// handleForm is the form of a handle: 130 random bits.
var handleForm = regexp.MustCompile(`^[A-Z2-7]{26}$`)

// HandleIn reads a code as people write it down: in small letters, in groups,
// and with the digits 0, 1 and 8, which no code has, for the letters O, I and
// B. It is "" for what is no code.
func HandleIn(text string) string {
	if len(text) > maxTyped {
		return ""
	}
	code := strings.Map(func(c rune) rune {
		switch {
		case unicode.IsSpace(c), unicode.Is(unicode.Pd, c), c == '\u00AD', c == '\u200B':
			return -1
		case c >= 'a' && c <= 'z':
			return c - 'a' + 'A'
		case c == '0':
			return 'O'
		case c == '1':
			return 'I'
		case c == '8':
			return 'B'
		}
		return c
	}, text)
	if !handleForm.MatchString(code) {
		return ""
	}
	return code
}

// clean makes a text from outside harmless to show in one line of at most so
// many characters.
func clean(text string, most int) string {
	var b strings.Builder
	n := 0
	for _, c := range strings.ToValidUTF8(text, "\uFFFD") {
		switch {
		case c == '\n' || c == '\r' || c == '\t' || c == '\u2028' || c == '\u2029':
			c = ' '
		case hidden(c) || unicode.IsControl(c):
			continue
		}
		if n++; n > most {
			b.WriteRune('…')
			break
		}
		b.WriteRune(c)
	}
	return strings.TrimSpace(b.String())
}

// hidden tells of a character that does not show and changes what a reader
// sees: marks of direction, joiners, tags.
func hidden(c rune) bool {
	return unicode.Is(unicode.Cf, c) || c >= 0xFE00 && c <= 0xFE0F || c >= 0xE0000 && c <= 0xE0FFF
}

// cleanPath is clean for the name of an entry in an archive: what leads up or to
// a root is left out.
func cleanPath(name string) string {
	var kept []string
	for part := range strings.SplitSeq(strings.ReplaceAll(name, `\`, "/"), "/") {
		if part = clean(part, maxName); part != "" && part != "." && part != ".." {
			kept = append(kept, part)
		}
	}
	return clean(strings.Join(kept, "/"), maxName)
}

// inside names what was found in another file.
func inside(outer, inner string) string {
	if outer == "" || inner == "" {
		return outer + inner
	}
	return outer + " › " + inner
}
