package timestamp

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"encoding/asn1"
	"errors"
	"fmt"
	"io"
	"math/big"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	tsp "github.com/digitorus/timestamp"
)

// The media types of RFC 3161 clause 3.4.
const (
	queryType = "application/timestamp-query"
	replyType = "application/timestamp-reply"
)

const (
	askTime   = 20 * time.Second
	nonceSize = 16  // bytes
	maxWords  = 200 // runes of what an authority says
)

// Authority asks a time-stamping authority over HTTP. It is safe for
// concurrent use as long as its fields are not changed.
type Authority struct {
	URL    string       // http or https: the token is signed either way
	Client *http.Client // nil: a client that waits 20 s. No redirect is followed.
}

// Stamp asks for a time stamp over the SHA-256 of data, with the certificates
// of the authority and a new nonce, and returns the DER of the TimeStampToken,
// which holds by Parse and is over the data. Whether its time is right and its
// authority trusted is for the caller to ask. Of the data only the hash leaves.
func (a *Authority) Stamp(ctx context.Context, data []byte) ([]byte, error) {
	address, err := url.Parse(a.URL)
	if err != nil || address.Scheme != "https" && address.Scheme != "http" || address.Host == "" {
		return nil, errors.New("asking for a time stamp: the address of the authority is not a web address, such as https://tsa.example/tsr")
	}
	token, err := a.stamp(ctx, address, data)
	if err != nil {
		return nil, fmt.Errorf("asking %s for a time stamp: %w", address.Host, err)
	}
	return token, nil
}

func (a *Authority) stamp(ctx context.Context, address *url.URL, data []byte) ([]byte, error) {
	secret := make([]byte, nonceSize)
	if _, err := rand.Read(secret); err != nil {
		return nil, fmt.Errorf("making a nonce: %w", err)
	}
	nonce := new(big.Int).SetBytes(secret)
	query, err := (&tsp.Request{
		HashAlgorithm: crypto.SHA256, HashedMessage: digest(crypto.SHA256, data), Certificates: true, Nonce: nonce,
	}).Marshal()
	if err != nil {
		return nil, fmt.Errorf("writing the request: %w", err)
	}
	reply, err := a.post(ctx, address, query)
	if err != nil {
		return nil, err
	}
	der, err := readReply(reply)
	if err != nil {
		return nil, fmt.Errorf("reading the answer: %w", err)
	}
	t, err := Parse(der)
	if err != nil {
		return nil, fmt.Errorf("reading the answer: %w", err)
	}
	if t.nonce == nil || t.nonce.Cmp(nonce) != 0 {
		return nil, fmt.Errorf("reading the answer: %w", bad("comparing the nonce: it answers another request"))
	}
	if t.hash != crypto.SHA256 {
		return nil, fmt.Errorf("reading the answer: %w", bad("comparing the imprint: it is of %s, SHA-256 was asked for", t.hash))
	}
	if err := t.Over(data); err != nil {
		return nil, fmt.Errorf("reading the answer: %w", err)
	}
	return der, nil
}

func (a *Authority) post(ctx context.Context, address *url.URL, query []byte) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, address.String(), bytes.NewReader(query))
	if err != nil {
		return nil, fmt.Errorf("writing the request: %w", err)
	}
	request.Header.Set("Content-Type", queryType)
	request.Header.Set("Accept", replyType)
	request.Header.Set("User-Agent", "attesta")
	client := http.Client{Timeout: askTime}
	if a.Client != nil {
		client = *a.Client
	}
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	response, err := client.Do(request)
	if err != nil {
		// The address may hold a password: it is named by its host, above.
		if outer, ok := errors.AsType[*url.Error](err); ok {
			err = outer.Err
		}
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("reading the answer: it is %d %s", response.StatusCode, http.StatusText(response.StatusCode))
	}
	kind, _, err := mime.ParseMediaType(response.Header.Get("Content-Type"))
	if err != nil || kind != replyType {
		return nil, fmt.Errorf("reading the answer: it is of the type %q, %s is wanted", printable(kind), replyType)
	}
	reply, err := io.ReadAll(io.LimitReader(response.Body, maxToken+1))
	if err != nil {
		return nil, fmt.Errorf("reading the answer: %w", err)
	}
	if len(reply) > maxToken {
		return nil, fmt.Errorf("reading the answer: it is larger than %d bytes", maxToken)
	}
	return reply, nil
}

// readReply reads a TimeStampResp (RFC 3161 clause 2.4.2) that grants the
// request and returns its token.
func readReply(der []byte) ([]byte, error) {
	outer := open(der)
	e := outer.enter(asn1.ClassUniversal, asn1.TagSequence)
	info := e.enter(asn1.ClassUniversal, asn1.TagSequence)
	var answer int
	info.take(&answer, "")
	var words []string
	if info.at(asn1.ClassUniversal, asn1.TagSequence) {
		text := info.enter(asn1.ClassUniversal, asn1.TagSequence)
		for text.more() {
			words = append(words, string(text.next().Bytes))
		}
	}
	var why asn1.BitString
	if info.at(asn1.ClassUniversal, asn1.TagBitString) {
		info.take(&why, "")
	}
	info.end()
	token := []byte(nil)
	if e.more() {
		token = e.next().FullBytes
	}
	e.end()
	outer.end()
	if err := outer.error(); err != nil {
		return nil, err
	}
	status := tsp.Status(answer)
	if status != tsp.Granted && status != tsp.GrantedWithMods {
		said := status.String() + reason(why)
		if len(words) > 0 {
			said += fmt.Sprintf(", in its words: %q", printable(strings.Join(words, "; ")))
		}
		return nil, errors.New(said)
	}
	if token == nil {
		return nil, errors.New("the request is granted, and there is no time stamp")
	}
	return token, nil
}

// reason puts the first known failure of a PKIFailureInfo into words.
func reason(why asn1.BitString) string {
	for i := range why.BitLength {
		failure := tsp.FailureInfo(i)
		if why.At(i) == 1 && failure.String() != tsp.UnknownFailureInfo.String() {
			return " (" + failure.String() + ")"
		}
	}
	return ""
}

// printable cuts what a stranger says to a length and to what can be shown.
func printable(s string) string {
	if utf8.RuneCountInString(s) > maxWords {
		s = string([]rune(s)[:maxWords])
	}
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, s)
}
