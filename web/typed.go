package web

import (
	"encoding/json"
	"net/http"
	"regexp"
	"strings"
	"unicode"

	"attesta/brief"
	"attesta/presentation"
)

const (
	maxTyped = 120 // bytes of what may be typed from paper; a sealed credential is longer
	maxLink  = 500 // bytes of an address that is looked at
)

var (
	// numberForm is the form of a certificate number and of a credential's id.
	numberForm = regexp.MustCompile(`^(?i:[A-Z0-9]+(-[A-Z0-9]+)*-[0-9A-F]{8}|urn:[a-z0-9]+:[0-9a-f-]{36})$`)
	// tokenForm is how a sealed token begins, whatever its length.
	tokenForm = regexp.MustCompile(`^eyJ[A-Za-z0-9_-]*\.[A-Za-z0-9_-]*\.`)
	scheme    = regexp.MustCompile(`^(?i:https?://)`)
)

// typed reads what somebody typed or pasted: one thing, or one on each line. The
// error is a refusal of what leads nowhere.
func (s *Site) typed(text string) ([]presentation.Item, error) {
	if token, ok := presentation.TokenIn([]byte(text)); ok {
		return []presentation.Item{{Found: presentation.InText, Sealed: token}}, nil
	}
	lines := strings.FieldsFunc(text, func(c rune) bool { return c == '\n' || c == '\r' })
	if len(lines) > 1 && len(lines) <= presentation.MaxEntries {
		items := make([]presentation.Item, 0, len(lines))
		for _, line := range lines {
			if line = strings.TrimSpace(line); line == "" {
				continue
			}
			item, err := s.typedOne(line)
			if err != nil || item.Text != "" || strings.HasPrefix(line, "{") && !json.Valid([]byte(line)) {
				items = nil // no list
				break
			}
			items = append(items, item)
		}
		if len(items) > 0 {
			return items, nil
		}
	}
	item, err := s.typedOne(text)
	return []presentation.Item{item}, err
}

func (s *Site) typedOne(text string) (presentation.Item, error) {
	item := presentation.Item{Found: presentation.InText}
	if token, ok := presentation.TokenIn([]byte(text)); ok {
		item.Sealed = token
		return item, nil
	}
	handle, no := s.typedIn(text)
	switch {
	case handle != "":
		item.Handle = handle
		return item, nil
	case no == nil:
		item.Sealed = []byte(text)
		return item, nil
	case no.name != "link":
		return item, *no
	}
	item = s.reader.ReadText(text)
	if item.Address == nil {
		return item, *no // an address that can be read in several ways
	}
	return item, nil
}

// typedIn reads text as somebody typed it: the handle that it holds, or why it
// leads nowhere, or neither when it is the text of a credential. A code or an
// address with a slip is never taken for a credential, because an answer about
// its seal would be read as one about the credential that was meant.
func (s *Site) typedIn(text string) (handle string, no *refusal) {
	if _, short := brief.In([]byte(text)); short {
		return "", nil
	}
	if len(text) > maxLink || strings.Contains(text, "{") || tokenForm.MatchString(text) {
		return "", nil
	}
	bare := scheme.ReplaceAllString(strings.Trim(text, " \t\r\n<>()[]\"“”«».,;"), "")
	at := strings.IndexAny(bare, "/?#")
	if at >= 0 && strings.EqualFold(bare[:at], s.host) {
		path, ok := cutPrefixFold(bare[at:], "/v/")
		if !ok {
			return "", &refusal{http.StatusBadRequest, "link"}
		}
		if end := strings.IndexAny(path, "/?#"); end >= 0 {
			path = path[:end]
		}
		if handle = presentation.HandleIn(path); handle == "" {
			return "", &refusal{http.StatusBadRequest, "code"}
		}
		return handle, nil
	}
	foreign := scheme.MatchString(text) ||
		at > 0 && len(text) <= maxTyped && strings.Contains(bare[:at], ".") && strings.IndexFunc(bare, unicode.IsSpace) < 0
	switch handle = presentation.HandleIn(bare); {
	case handle != "":
		return handle, nil
	case foreign:
		return "", &refusal{http.StatusBadRequest, "link"}
	case len(text) > maxTyped:
		return "", nil
	case numberForm.MatchString(bare):
		return "", &refusal{http.StatusBadRequest, "number"}
	}
	return "", &refusal{http.StatusBadRequest, "code"}
}

func cutPrefixFold(s, prefix string) (rest string, ok bool) {
	if len(s) < len(prefix) || !strings.EqualFold(s[:len(prefix)], prefix) {
		return s, false
	}
	return s[len(prefix):], true
}
