package brief

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// Prefix begins every text of a brief, and names the version of the form.
const Prefix = "AT1:"

// maxText bounds a text: three times what a QR holds that can still be read from
// paper. maxPresented bounds what is looked at for one, with an address before it.
const (
	maxText      = 3000
	maxPresented = maxText + 300
)

// ErrMalformed is wrapped by every error about a text that is no brief.
var ErrMalformed = errors.New("it is no compact QR that can be read")

func malformed(format string, args ...any) error {
	return fmt.Errorf("reading a compact QR: %w: %s", ErrMalformed, fmt.Sprintf(format, args...))
}

// alphabet has the characters of base 41 in the order of their values.
const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ$+-/."

const radix = len(alphabet)

func encode(data []byte) string {
	var b strings.Builder
	b.Grow(len(data)/2*3 + 2)
	for ; len(data) > 1; data = data[2:] {
		n := int(data[0])<<8 | int(data[1])
		b.WriteByte(alphabet[n%radix])
		b.WriteByte(alphabet[n/radix%radix])
		b.WriteByte(alphabet[n/radix/radix])
	}
	if len(data) == 1 {
		b.WriteByte(alphabet[int(data[0])%radix])
		b.WriteByte(alphabet[int(data[0])/radix])
	}
	return b.String()
}

func decode(text string) ([]byte, error) {
	if len(text)%3 == 1 {
		return nil, malformed("a character is missing at the end")
	}
	data := make([]byte, 0, len(text)/3*2+1)
	for ; len(text) > 0; text = text[min(3, len(text)):] {
		n, place := 0, 1
		for i := range min(3, len(text)) {
			value := strings.IndexByte(alphabet, text[i])
			if value < 0 {
				return nil, malformed("there is a character that does not belong there")
			}
			n, place = n+value*place, place*radix
		}
		switch {
		case len(text) == 2 && n < 1<<8:
			data = append(data, byte(n))
		case len(text) > 2 && n < 1<<16:
			data = append(data, byte(n>>8), byte(n))
		default:
			return nil, malformed("some of its characters are wrong")
		}
	}
	return data, nil
}

// address is what stands before the text in a QR: the page of any installation
// where a brief is read.
var address = regexp.MustCompile(`^(?i:https?://[a-z0-9.:\[\]-]{1,260}/c/?(\?lang=[a-z]{2})?)$`)

// In finds the text of a brief in what was presented: it alone, or an address of
// the form HTTPS://HOST/C#AT1:... of whatever host, which is opened by nobody.
// Whether it can be read Parse says.
func In(presented []byte) (text string, ok bool) {
	if len(presented) < len(Prefix) || len(presented) > maxPresented {
		return "", false
	}
	text = strings.TrimSpace(string(presented))
	if strings.HasPrefix(text, Prefix) {
		return text, true
	}
	before, after, found := strings.Cut(text, "#")
	if !found || !strings.HasPrefix(after, Prefix) || !address.MatchString(before) {
		return "", false
	}
	return after, true
}

// MaxAddress is how many characters an address may have to fit into a QR of
// version 20 at level M, which an ordinary phone reads from paper (ISO/IEC 18004
// table 7, with # as a part of its own).
const MaxAddress = 960

// Address is what a QR with the text holds, below the public address of an
// installation (https://host). It is in capitals, which take less room.
func Address(publicURL, text string) string {
	return strings.ToUpper(publicURL) + "/C#" + text
}
