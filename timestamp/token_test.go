package timestamp_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/asn1"
	"errors"
	"strings"
	"testing"
	"time"

	"attesta/timestamp"
	"attesta/timestamp/timestamptest"
)

var (
	theMoment = time.Date(2026, 11, 21, 8, 30, 15, 0, time.UTC)
	theData   = []byte("the value of a signature")
)

func clock() time.Time { return theMoment }

func rsaKey(t testing.TB, bits int) crypto.Signer {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func ecKey(t testing.TB, curve elliptic.Curve) crypto.Signer {
	t.Helper()
	key, err := ecdsa.GenerateKey(curve, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func parse(t testing.TB, der []byte) *timestamp.Token {
	t.Helper()
	token, err := timestamp.Parse(der)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// refused demands an error that wraps ErrToken and says why.
func refused(t testing.TB, err error, why string) {
	t.Helper()
	switch {
	case err == nil:
		t.Error("it holds")
	case !errors.Is(err, timestamp.ErrToken):
		t.Errorf("not ErrToken: %v", err)
	case !strings.Contains(err.Error(), why):
		t.Errorf("refused for another reason: %v\nwant: %s", err, why)
	}
}

func TestParse(t *testing.T) {
	tsa := timestamptest.New(t, clock)
	earlier := theMoment.AddDate(0, -3, 0)
	for name, o := range map[string]timestamptest.Options{
		"as it comes":          {},
		"imprint of SHA-384":   {Hash: crypto.SHA384},
		"imprint of SHA-512":   {Hash: crypto.SHA512},
		"signed over SHA-384":  {Digest: crypto.SHA384},
		"ECDSA on P-384":       {Key: ecKey(t, elliptic.P384()), Digest: crypto.SHA384},
		"ECDSA on P-521":       {Key: ecKey(t, elliptic.P521()), Digest: crypto.SHA512},
		"RSA of 2048 bits":     {Key: rsaKey(t, 2048)},
		"RSA, SHA-512":         {Key: rsaKey(t, 2048), Digest: crypto.SHA512},
		"another time":         {Time: earlier},
		"certificate by SHA-1": {OldID: true},
		"signer by its key":    {ByKey: true},
		"several at once":      {Key: rsaKey(t, 3072), Digest: crypto.SHA384, Hash: crypto.SHA512, OldID: true},
	} {
		t.Run(name, func(t *testing.T) {
			token := parse(t, tsa.Make(theData, o))
			want := theMoment
			if !o.Time.IsZero() {
				want = o.Time
			}
			if !token.Time.Equal(want) || token.Time.Location() != time.UTC {
				t.Errorf("stamped %v, want %v", token.Time, want)
			}
			if token.Policy != timestamptest.Policy {
				t.Errorf("policy %s", token.Policy)
			}
			if len(token.Chain) != 2 || token.Chain[0].IsCA || !token.Chain[1].Equal(tsa.Root) {
				t.Errorf("the chain is not the signer and its root: %d", len(token.Chain))
			}
			if o.Key == nil && !token.Chain[0].Equal(tsa.Leaf) {
				t.Error("the signer is another")
			}
			if err := token.Over(theData); err != nil {
				t.Error(err)
			}
		})
	}
}

// J13: what is wrong in a token is found, and each for its own reason.
func TestParseRefuses(t *testing.T) {
	tsa := timestamptest.New(t, clock)
	for flaw, why := range map[timestamptest.Flaw]string{
		timestamptest.ShortImprint:      "the imprint has 31 bytes",
		timestamptest.OtherSigner:       "checking its signature",
		timestamptest.OtherCertificate:  "does not carry the certificate",
		timestamptest.OtherIssuer:       "names two different certificates",
		timestamptest.OtherSerial:       "names one certificate and the signer another",
		timestamptest.NoCertificateID:   "the signature names none",
		timestamptest.NoCertificates:    "does not carry the certificate",
		timestamptest.TwoSigners:        "more than one signer",
		timestamptest.NoEKU:             "not for time stamps alone",
		timestamptest.PlainEKU:          "does not say critically",
		timestamptest.SecondEKU:         "not for time stamps alone",
		timestamptest.UnknownEKU:        "not for time stamps alone",
		timestamptest.CALeaf:            "an authority over certificates",
		timestamptest.NoSigning:         "may not sign",
		timestamptest.ExpiredLeaf:       "not valid at the stamped time",
		timestamptest.FutureLeaf:        "not valid at the stamped time",
		timestamptest.SecondVersion:     "its version is 2",
		timestamptest.CriticalExtension: "the extension 2.999.3 is critical",
		timestamptest.TrailingElement:   "something follows",
		timestamptest.TrailingInSigner:  "something follows",
		timestamptest.OddParameters:     "something follows",
		timestamptest.LocalTime:         "not in UTC",
		timestamptest.WrongContentType:  "not over a time stamp",
		timestamptest.WrongDigest:       "over other contents",
		timestamptest.TwiceDigest:       "stands twice",
		timestamptest.MixedAlgorithms:   "is not accepted with the digest SHA-256",
	} {
		t.Run(string(flaw), func(t *testing.T) {
			_, err := timestamp.Parse(tsa.Make(theData, timestamptest.Options{Flaw: flaw}))
			refused(t, err, why)
		})
	}
	weak, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		o   timestamptest.Options
		why string
	}{
		"imprint of SHA-1":   {timestamptest.Options{Hash: crypto.SHA1}, "the algorithm 1.3.14.3.2.26"},
		"signed over SHA-1":  {timestamptest.Options{Digest: crypto.SHA1, Key: rsaKey(t, 2048)}, "the algorithm 1.3.14.3.2.26"},
		"11 certificates":    {timestamptest.Options{Copies: 9}, "carries 11 certificates"},
		"RSA of 1024 bits":   {timestamptest.Options{Key: weak}, "1024 bits"},
		"ECDSA on P-224":     {timestamptest.Options{Key: ecKey(t, elliptic.P224())}, "the curve of the key"},
		"RSA, mixed digests": {timestamptest.Options{Key: rsaKey(t, 2048), Flaw: timestamptest.MixedAlgorithms}, "is not accepted with the digest SHA-256"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := timestamp.Parse(tsa.Make(theData, c.o))
			refused(t, err, c.why)
		})
	}
	good := tsa.Token(theData)
	for name, c := range map[string]struct {
		der []byte
		why string
	}{
		"nothing":           {nil, "it is empty"},
		"no DER":            {[]byte("time"), "reading its envelope"},
		"trailing byte":     {append(bytes.Clone(good), 0), "something follows"},
		"two tokens":        {append(bytes.Clone(good), good...), "something follows"},
		"cut short":         {good[:len(good)-1], "reading its envelope"},
		"too large":         {make([]byte, 64<<10+1), "larger than"},
		"indefinite length": {append([]byte{0x30, 0x80}, append(bytes.Clone(good[4:]), 0, 0)...), "reading its envelope"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := timestamp.Parse(c.der)
			refused(t, err, c.why)
		})
	}
}

// J13: a token that holds is no proof for other data, wherever it was copied
// from.
func TestOver(t *testing.T) {
	tsa := timestamptest.New(t, clock)
	token := parse(t, tsa.Token(theData))
	const why = "it is of other data"
	refused(t, token.Over(append(bytes.Clone(theData), 0)), why)
	refused(t, token.Over(nil), why)
	refused(t, parse(t, tsa.Make(theData, timestamptest.Options{Flaw: timestamptest.WrongImprint})).Over(theData), why)
	refused(t, new(timestamp.Token).Over(nil), why)
	if err := parse(t, tsa.Token(nil)).Over(nil); err != nil {
		t.Error(err)
	}
}

// J13: no byte can be changed so that something else is read from the token.
// What the signature does not cover, the certificate of the root, is a hint.
func TestParseAnyByteChanged(t *testing.T) {
	tsa := timestamptest.New(t, clock)
	good := tsa.Token(theData)
	root := bytes.Index(good, tsa.Root.Raw)
	if root < 0 {
		t.Fatal("the token does not carry the root")
	}
	for i := range good {
		for _, change := range []byte{0x01, 0x04, 0x20, 0x80, 0xff} {
			changed := bytes.Clone(good)
			changed[i] ^= change
			token, err := timestamp.Parse(changed)
			if err != nil {
				refused(t, err, "")
				continue
			}
			if i < root || i >= root+len(tsa.Root.Raw) {
				t.Errorf("byte %d of %d changed by %#x, and it holds", i, len(good), change)
			}
			if !token.Time.Equal(theMoment) || !token.Chain[0].Equal(tsa.Leaf) || token.Over(theData) != nil {
				t.Errorf("byte %d changed by %#x changes what is read", i, change)
			}
		}
	}
}

// grown gives the same DER with an empty string added at the end of one
// constructed element, once for each.
func grown(t *testing.T, der []byte) (all [][]byte) {
	t.Helper()
	var outer asn1.RawValue
	if _, err := asn1.Unmarshal(der, &outer); err != nil {
		t.Fatal(err)
	}
	wrap := func(inside ...[]byte) {
		v := outer
		v.FullBytes, v.Bytes = nil, bytes.Join(inside, nil)
		whole, err := asn1.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, whole)
	}
	if !outer.IsCompound {
		return nil
	}
	wrap(outer.Bytes, []byte{asn1.TagOctetString, 0})
	for rest := outer.Bytes; len(rest) > 0; {
		var one asn1.RawValue
		after, err := asn1.Unmarshal(rest, &one)
		if err != nil {
			t.Fatal(err)
		}
		before := outer.Bytes[:len(outer.Bytes)-len(rest)]
		for _, g := range grown(t, one.FullBytes) {
			wrap(before, g, after)
		}
		rest = after
	}
	return all
}

// J13: nothing hides behind the last known element of any part.
func TestParseNothingMore(t *testing.T) {
	tsa := timestamptest.New(t, clock)
	holds := 0
	for i, der := range grown(t, tsa.Token(theData)) {
		token, err := timestamp.Parse(der)
		if err != nil {
			refused(t, err, "")
			continue
		}
		if holds++; !token.Chain[0].Equal(tsa.Leaf) || bytes.Contains(der, tsa.Root.Raw) {
			t.Errorf("something follows in element %d, and it holds", i)
		}
	}
	if holds == 0 {
		t.Error("no token holds whose other certificate is changed: nothing was tried")
	}
}

// Other certificates are candidates for a chain, each once; one that cannot be
// read is left out.
func TestParseOtherCertificates(t *testing.T) {
	tsa := timestamptest.New(t, clock)
	good := tsa.Token(theData)
	at := bytes.Index(good, tsa.Root.Raw)
	broken := bytes.Clone(good)
	broken[at+5] ^= 0x20 // the tag of the inner sequence
	if n := len(parse(t, broken).Chain); n != 1 {
		t.Errorf("%d certificates, one can be read", n)
	}
	if n := len(parse(t, tsa.Make(theData, timestamptest.Options{Copies: 8})).Chain); n != 2 {
		t.Errorf("%d certificates, 2 are different", n)
	}
}

func FuzzParse(f *testing.F) {
	tsa := timestamptest.New(f, clock)
	f.Add(tsa.Token(theData))
	f.Add(tsa.Make(theData, timestamptest.Options{Key: rsaKey(f, 2048), OldID: true, Hash: crypto.SHA384}))
	f.Add(tsa.Make(theData, timestamptest.Options{Flaw: timestamptest.TwoSigners}))
	f.Add(tsa.Make(theData, timestamptest.Options{Flaw: timestamptest.CriticalExtension}))
	f.Add([]byte{0x30, 0x80, 0, 0})
	f.Fuzz(func(t *testing.T, der []byte) {
		token, err := timestamp.Parse(der)
		if err != nil {
			if token != nil || !errors.Is(err, timestamp.ErrToken) {
				t.Fatalf("%v, %v", token, err)
			}
			return
		}
		// Nobody but the authorities above signed anything, and they signed this.
		if token.Over(theData) != nil || !token.Time.Equal(theMoment) || token.Policy != timestamptest.Policy || len(token.Chain) == 0 {
			t.Fatalf("a token that nobody signed: %+v", token)
		}
	})
}

func BenchmarkParse(b *testing.B) {
	tsa := timestamptest.New(b, clock)
	for name, key := range map[string]crypto.Signer{"P-256": nil, "RSA-2048": rsaKey(b, 2048)} {
		der := tsa.Make(theData, timestamptest.Options{Key: key})
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(der)))
			for b.Loop() {
				if _, err := timestamp.Parse(der); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
