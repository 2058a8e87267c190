package credentials

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"
)

// sealedWith is a sealed file with a certificate and whatever signature is made
// over its signing input.
func sealedWith(c *x509.Certificate, alg, payload string, sign func(input []byte) []byte) []byte {
	header := fmt.Sprintf(`{"alg":%s,"typ":"jose+json","b64":false,"iat":1795249800,"crit":["b64"],"x5c":%s}`, quote(alg), (&testSealer{chain: []*x509.Certificate{c}}).x5c())
	signature := sign([]byte(b64(header) + "." + payload))
	return []byte(`{"payload":` + quote(payload) + `,"signatures":[{"protected":"` + b64(header) + `","signature":"` + b64(string(signature)) + `"}]}`)
}

// certified is a certificate for any public key, also for one that nobody has.
func certified(t *testing.T, key crypto.PublicKey) *x509.Certificate {
	t.Helper()
	s := fixedSealer(t)
	template := *s.chain[0]
	der, err := x509.CreateCertificate(rand.Reader, &template, s.chain[0], key, s.key)
	if err != nil {
		t.Fatal(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func hashed(h crypto.Hash, input []byte) []byte {
	w := h.New()
	w.Write(input)
	return w.Sum(nil)
}

// J8: of the ways to write two numbers only the one of RFC 7518 clause 3.4 is
// read, for both curves, and no number outside its range.
func TestFormsOfECDSASignatures(t *testing.T) {
	for alg, c := range map[string]struct {
		curve elliptic.Curve
		hash  crypto.Hash
		wrong []crypto.Hash
	}{
		"ES256": {elliptic.P256(), crypto.SHA256, []crypto.Hash{crypto.SHA384, crypto.SHA512}},
		"ES384": {elliptic.P384(), crypto.SHA384, []crypto.Hash{crypto.SHA256, crypto.SHA512}},
	} {
		key, err := ecdsa.GenerateKey(c.curve, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		certificate, n, size := certified(t, &key.PublicKey), c.curve.Params().N, c.curve.Params().BitSize/8
		type pair = [2]*big.Int
		made := func(h crypto.Hash, input []byte) pair {
			r, s, err := ecdsa.Sign(rand.Reader, key, hashed(h, input))
			if err != nil {
				t.Fatal(err)
			}
			return pair{r, s}
		}
		write := func(p pair) []byte {
			return append(p[0].FillBytes(make([]byte, size)), p[1].FillBytes(make([]byte, size))...)
		}
		with := func(change func(pair) []byte) []byte {
			return sealedWith(certificate, alg, smallDocument, func(input []byte) []byte { return change(made(c.hash, input)) })
		}
		small := func(p pair) bool { return p[0].BitLen() <= 8*(size-1) && p[1].Sign() > 0 }
		zero, one, most := new(big.Int), big.NewInt(1), new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), uint(8*size)), big.NewInt(1))
		der := func(p pair) []byte { return derSignature(write(p)) }
		for name, change := range map[string]func(pair) []byte{
			"r and s zero":          func(pair) []byte { return write(pair{zero, zero}) },
			"r zero":                func(p pair) []byte { return write(pair{zero, p[1]}) },
			"s zero":                func(p pair) []byte { return write(pair{p[0], zero}) },
			"r and s one":           func(pair) []byte { return write(pair{one, one}) },
			"r the order":           func(p pair) []byte { return write(pair{n, p[1]}) },
			"s the order":           func(p pair) []byte { return write(pair{p[0], n}) },
			"both the order":        func(pair) []byte { return write(pair{n, n}) },
			"r beyond the order":    func(p pair) []byte { return write(pair{most, p[1]}) },
			"s beyond the order":    func(p pair) []byte { return write(pair{p[0], most}) },
			"s one more":            func(p pair) []byte { return write(pair{p[0], new(big.Int).Add(p[1], one)}) },
			"r negated":             func(p pair) []byte { return write(pair{new(big.Int).Sub(n, p[0]), p[1]}) },
			"r and s exchanged":     func(p pair) []byte { return write(pair{p[1], p[0]}) },
			"DER":                   der,
			"DER, filled":           func(p pair) []byte { return append(der(p), make([]byte, 2*size)...)[:2*size] },
			"r alone":               func(p pair) []byte { return write(p)[:size] },
			"a byte short":          func(p pair) []byte { return write(p)[:2*size-1] },
			"a byte short in front": func(p pair) []byte { return write(p)[1:] },
			"a zero before":         func(p pair) []byte { return append([]byte{0}, write(p)...) },
			"a zero after":          func(p pair) []byte { return append(write(p), 0) },
			"a zero before each":    func(p pair) []byte { return slices.Concat([]byte{0}, write(p)[:size], []byte{0}, write(p)[size:]) },
			"twice":                 func(p pair) []byte { return append(write(p), write(p)...) },
			"the lowest byte first": func(p pair) []byte { b := write(p); slices.Reverse(b); return b },
			"in hexadecimal":        func(p pair) []byte { return fmt.Appendf(nil, "%x", write(p)) },
			"an X9.62 point before": func(p pair) []byte { return append([]byte{4}, write(p)...) },
			"of the size of another": func(p pair) []byte {
				return append(p[0].FillBytes(make([]byte, 66)), p[1].FillBytes(make([]byte, 66))...)
			},
		} {
			if _, err := open(with(change)); !errors.Is(err, ErrSeal) {
				t.Errorf("%s, %s: %v", alg, name, err)
			}
		}
		short := sealedWith(certificate, alg, smallDocument, func(input []byte) []byte {
			for {
				if p := made(c.hash, input); small(p) {
					return slices.Concat(p[0].Bytes(), p[1].FillBytes(make([]byte, size)))
				}
			}
		})
		if _, err := open(short); !errors.Is(err, ErrSeal) {
			t.Errorf("%s, r without its leading zero: %v", alg, err)
		}
		for _, other := range c.wrong {
			wrong := sealedWith(certificate, alg, smallDocument, func(input []byte) []byte { return write(made(other, input)) })
			if _, err := open(wrong); !errors.Is(err, ErrSeal) {
				t.Errorf("%s over %v: %v", alg, other, err)
			}
		}
		testSecondForm(t, alg, n, write, with)
	}
}

// testSecondForm: the form (r, n-s) of a signature holds, as RFC 7518 has it.
// That changes nothing that anybody reads, and a time stamp over the one form is
// none over the other.
func testSecondForm(t *testing.T, alg string, n *big.Int, write func([2]*big.Int) []byte, with func(func([2]*big.Int) []byte) []byte) {
	t.Helper()
	var first [2]*big.Int
	file := with(func(p [2]*big.Int) []byte { first = p; return write(p) })
	other := [2]*big.Int{first[0], new(big.Int).Sub(n, first[1])}
	twin := bytes.Replace(file, []byte(b64(string(write(first)))), []byte(b64(string(write(other)))), 1)
	a, err := open(file)
	if err != nil {
		t.Fatalf("%s, the control: %v", alg, err)
	}
	b, err := open(twin)
	if err != nil {
		t.Fatalf("%s, the second form: %v", alg, err)
	}
	if bytes.Equal(file, twin) || !bytes.Equal(a.Envelope.Payload(), b.Envelope.Payload()) || a.Envelope.protected != b.Envelope.protected {
		t.Errorf("%s: the two forms are one file, or carry two contents", alg)
	}
	if bytes.Equal(a.Envelope.EncodedSignature(), b.Envelope.EncodedSignature()) || bytes.Equal(a.Envelope.NextArchived(), b.Envelope.NextArchived()) {
		t.Errorf("%s: a time stamp over one form is one over the other", alg)
	}
}

// weakRSA are two keys of 2048 bits with one modulus: the one that everybody
// uses, and the one with the exponent 3.
func weakRSA(t *testing.T) (good, three *rsa.PrivateKey) {
	t.Helper()
	prime := func() *big.Int {
		for {
			p, err := rand.Prime(rand.Reader, 1024)
			if err != nil {
				t.Fatal(err)
			}
			if new(big.Int).Mod(p, big.NewInt(3)).Int64() == 2 && new(big.Int).Mod(p, big.NewInt(65537)).Int64() != 1 {
				return p
			}
		}
	}
	p, q := prime(), prime()
	phi := new(big.Int).Mul(new(big.Int).Sub(p, big.NewInt(1)), new(big.Int).Sub(q, big.NewInt(1)))
	key := func(e int) *rsa.PrivateKey {
		k := &rsa.PrivateKey{
			PublicKey: rsa.PublicKey{N: new(big.Int).Mul(p, q), E: e},
			D:         new(big.Int).ModInverse(big.NewInt(int64(e)), phi), Primes: []*big.Int{p, q},
		}
		k.Precompute()
		return k
	}
	return key(65537), key(3)
}

var digestInfo = map[crypto.Hash]asn1.ObjectIdentifier{
	crypto.SHA256: {2, 16, 840, 1, 101, 3, 4, 2, 1}, crypto.SHA384: {2, 16, 840, 1, 101, 3, 4, 2, 2}, crypto.SHA512: {2, 16, 840, 1, 101, 3, 4, 2, 3},
}

// named is a digest with its name (RFC 8017 clause 9.2), with or without the
// NULL that belongs there.
func named(t *testing.T, h crypto.Hash, digest []byte, parameters asn1.RawValue) []byte {
	t.Helper()
	type algorithm struct {
		ID         asn1.ObjectIdentifier
		Parameters asn1.RawValue `asn1:"optional"`
	}
	der, err := asn1.Marshal(struct {
		Algorithm algorithm
		Digest    []byte
	}{algorithm{digestInfo[h], parameters}, digest})
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// padded fills a message up to the size of the key, as PKCS #1 has it unless the
// kind of block and the filling are others.
func padded(size int, kind, fill byte, message []byte) []byte {
	filling := bytes.Repeat([]byte{fill}, size-3-len(message))
	return slices.Concat([]byte{0, kind}, filling, []byte{0}, message)
}

// J8: of the ways to write an RSA signature only the one of RFC 8017 clause 8.2
// is read: one padding, one digest, as many bytes as the modulus.
func TestFormsOfRSASignatures(t *testing.T) {
	key, _ := weakRSA(t)
	certificate, size := certified(t, &key.PublicKey), key.Size()
	raw := func(message []byte) []byte { // what the owner of the key can write, and an attacker with luck
		return new(big.Int).Exp(new(big.Int).SetBytes(message), key.D, key.N).FillBytes(make([]byte, size))
	}
	sign := func(h crypto.Hash, digest []byte) []byte {
		signature, err := rsa.SignPKCS1v15(rand.Reader, key, h, digest)
		if err != nil {
			t.Fatal(err)
		}
		return signature
	}
	salted := func(h crypto.Hash, salt int) func([]byte) []byte {
		return func(input []byte) []byte {
			options := &rsa.PSSOptions{SaltLength: salt, Hash: h}
			signature, err := rsa.SignPSS(rand.Reader, key, h, hashed(h, input), options)
			if err != nil || rsa.VerifyPSS(&key.PublicKey, h, hashed(h, input), signature, options) != nil {
				t.Fatal("no signature of the other kind was made")
			}
			return signature
		}
	}
	for alg, h := range map[string]crypto.Hash{"RS256": crypto.SHA256, "RS384": crypto.SHA384, "RS512": crypto.SHA512} {
		good := func(input []byte) []byte { return sign(h, hashed(h, input)) }
		block := func(kind, fill byte, change func(der []byte) []byte) func([]byte) []byte {
			return func(input []byte) []byte {
				return raw(padded(size, kind, fill, change(named(t, h, hashed(h, input), asn1.NullRawValue))))
			}
		}
		asIs := func(der []byte) []byte { return der }
		for name, control := range map[string]func([]byte) []byte{"as the library": good, "by hand": block(1, 0xff, asIs)} {
			if _, err := open(sealedWith(certificate, alg, smallDocument, control)); err != nil {
				t.Errorf("%s, the control made %s: %v", alg, name, err)
			}
		}
		for name, bad := range map[string]func([]byte) []byte{
			"zero":                      func([]byte) []byte { return make([]byte, size) },
			"one":                       func([]byte) []byte { return big.NewInt(1).FillBytes(make([]byte, size)) },
			"the modulus":               func([]byte) []byte { return key.N.Bytes() },
			"the modulus less one":      func([]byte) []byte { return new(big.Int).Sub(key.N, big.NewInt(1)).Bytes() },
			"the padded digest itself":  func(in []byte) []byte { return padded(size, 1, 0xff, named(t, h, hashed(h, in), asn1.NullRawValue)) },
			"a zero before":             func(in []byte) []byte { return append([]byte{0}, good(in)...) },
			"a zero after":              func(in []byte) []byte { return append(good(in), 0) },
			"a byte short":              func(in []byte) []byte { return good(in)[:size-1] },
			"the modulus added":         func(in []byte) []byte { return new(big.Int).Add(new(big.Int).SetBytes(good(in)), key.N).Bytes() },
			"a digest without its name": func(in []byte) []byte { return sign(0, hashed(h, in)) },
			"of SHA-1":                  func(in []byte) []byte { return sign(crypto.SHA1, hashed(crypto.SHA1, in)) },
			"with another digest": func(in []byte) []byte {
				other := map[crypto.Hash]crypto.Hash{crypto.SHA256: crypto.SHA512, crypto.SHA384: crypto.SHA256, crypto.SHA512: crypto.SHA384}[h]
				return sign(other, hashed(other, in))
			},
			"without the NULL": func(in []byte) []byte {
				return raw(padded(size, 1, 0xff, named(t, h, hashed(h, in), asn1.RawValue{})))
			},
			"with parameters": func(in []byte) []byte {
				return raw(padded(size, 1, 0xff, named(t, h, hashed(h, in), asn1.RawValue{Tag: asn1.TagOctetString, Bytes: []byte("x")})))
			},
			"bytes after the digest":       block(1, 0xff, func(der []byte) []byte { return append(der, "more"...) }),
			"a block of kind 0":            block(0, 0xff, asIs),
			"a block of kind 2":            block(2, 0xff, asIs),
			"filled with another byte":     block(1, 0xfe, asIs),
			"the digest far from the end":  block(1, 0xff, func(der []byte) []byte { return append(der, make([]byte, 100)...) }),
			"a second zero in the filling": block(1, 0xff, func(der []byte) []byte { return append([]byte{0}, der...) }),
			"PSS without salt":             salted(h, 0),
			"PSS, salt of 20":              salted(h, 20),
			"PSS, salt of the digest":      salted(h, rsa.PSSSaltLengthEqualsHash),
			"PSS, salt of any size":        salted(h, rsa.PSSSaltLengthAuto),
		} {
			if _, err := open(sealedWith(certificate, alg, smallDocument, bad)); !errors.Is(err, ErrSeal) {
				t.Errorf("%s, %s: %v", alg, name, err)
			}
		}
	}
	for alg, h := range map[string]crypto.Hash{"PS256": crypto.SHA256, "PS384": crypto.SHA384, "PS512": crypto.SHA512} {
		for _, salt := range []int{0, 20, rsa.PSSSaltLengthEqualsHash} {
			if _, err := open(sealedWith(certificate, alg, smallDocument, salted(h, salt))); !errors.As(err, new(*FormatError)) {
				t.Errorf("%s with a salt of %d: %v", alg, salt, err)
			}
		}
	}
	testLeadingZero(t, certificate, func(input []byte) []byte { return sign(crypto.SHA256, hashed(crypto.SHA256, input)) })
}

// testLeadingZero: a signature that begins with a zero is read with it and not
// without it.
func testLeadingZero(t *testing.T, c *x509.Certificate, good func([]byte) []byte) {
	t.Helper()
	for n := range 10_000 {
		payload := strings.Replace(smallDocument, "Ada Esempio", fmt.Sprintf("Ada Esempio %d", n), 1)
		var signature []byte
		file := sealedWith(c, "RS256", payload, func(input []byte) []byte { signature = good(input); return signature })
		if signature[0] != 0 {
			continue
		}
		if _, err := open(file); err != nil {
			t.Errorf("a signature with a zero in front: %v", err)
		}
		if _, err := open(bytes.Replace(file, []byte(b64(string(signature))), []byte(b64(string(signature[1:]))), 1)); !errors.Is(err, ErrSeal) {
			t.Errorf("the same without the zero: %v", err)
		}
		return
	}
	t.Error("no signature begins with a zero")
}

// J8: a certificate with a key that is weak, that costs too much, or that is
// none, carries no seal, also where the signature is good by the rules.
func TestKeysThatCarryNoSeal(t *testing.T) {
	good, three := weakRSA(t)
	p256 := fixedSealer(t).key.(*ecdsa.PrivateKey)
	short, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	rsaBy := func(k *rsa.PrivateKey) func([]byte) []byte {
		return func(input []byte) []byte {
			block := padded(k.Size(), 1, 0xff, named(t, crypto.SHA256, hashed(crypto.SHA256, input), asn1.NullRawValue))
			return new(big.Int).Exp(new(big.Int).SetBytes(block), k.D, k.N).FillBytes(make([]byte, k.Size()))
		}
	}
	// With the exponent 1 everybody signs: the signature is the padded digest.
	everybody := &rsa.PrivateKey{PublicKey: rsa.PublicKey{N: good.N, E: 1}, D: big.NewInt(1)}
	huge := func(bits uint) *rsa.PublicKey {
		n := new(big.Int).Lsh(big.NewInt(1), bits-1)
		return &rsa.PublicKey{N: n.Add(n, big.NewInt(12345)), E: 65537}
	}
	zeros := func(size int) func([]byte) []byte { return func([]byte) []byte { return make([]byte, size) } }
	asP384 := func(size int) func([]byte) []byte {
		return func(input []byte) []byte {
			digest := sha512.Sum384(input)
			r, s, err := ecdsa.Sign(rand.Reader, p256, digest[:])
			if err != nil {
				t.Fatal(err)
			}
			return append(r.FillBytes(make([]byte, size)), s.FillBytes(make([]byte, size))...)
		}
	}
	for name, c := range map[string]struct {
		key  crypto.PublicKey
		alg  string
		sign func([]byte) []byte
	}{
		"RSA with the exponent 3":           {&three.PublicKey, "RS256", rsaBy(three)},
		"RSA with the exponent 1":           {&everybody.PublicKey, "RS256", rsaBy(everybody)},
		"RSA with another exponent":         {&rsa.PublicKey{N: good.N, E: 65539}, "RS256", rsaBy(good)},
		"RSA with an even exponent":         {&rsa.PublicKey{N: good.N, E: 65536}, "RS256", rsaBy(good)},
		"RSA with a large exponent":         {&rsa.PublicKey{N: good.N, E: 1<<31 - 1}, "RS256", rsaBy(good)},
		"RSA of 1024 bits":                  {&short.PublicKey, "RS256", rsaBy(short)},
		"RSA of 2047 bits":                  {huge(2047), "RS256", zeros(256)},
		"RSA of 8193 bits":                  {huge(8193), "RS256", zeros(1025)},
		"RSA of 65536 bits":                 {huge(65536), "RS512", zeros(8192)},
		"P-256 with ES384":                  {&p256.PublicKey, "ES384", asP384(32)},
		"P-256 with ES384, in its size":     {&p256.PublicKey, "ES384", asP384(48)},
		"P-256 with ES256K":                 {&p256.PublicKey, "ES256K", asP384(32)},
		"P-256 with RS256":                  {&p256.PublicKey, "RS256", asP384(32)},
		"RSA with ES256":                    {&good.PublicKey, "ES256", rsaBy(good)},
		"RSA with the name of no algorithm": {&good.PublicKey, "RSA", rsaBy(good)},
	} {
		_, err := open(sealedWith(certified(t, c.key), c.alg, smallDocument, c.sign))
		if !errors.As(err, new(*FormatError)) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := open(sealedWith(certified(t, &good.PublicKey), "RS256", smallDocument, rsaBy(good))); err != nil {
		t.Errorf("the control: %v", err)
	}
	even := &rsa.PublicKey{N: new(big.Int).Sub(good.N, big.NewInt(1)), E: 65537}
	if _, err := open(sealedWith(certified(t, even), "RS256", smallDocument, zeros(256))); err == nil {
		t.Error("an even modulus was taken")
	}
}

// J8: a point that is not on its curve makes the certificate unreadable. The
// bytes are those of a good certificate but for the point.
func TestPointsOutsideTheCurve(t *testing.T) {
	key := fixedSealer(t).key.(*ecdsa.PrivateKey)
	c := certified(t, &key.PublicKey)
	point, err := key.PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	other := sha256.Sum256(point)
	for name, with := range map[string][]byte{
		"y of another point":           slices.Concat(point[:33], other[:]),
		"x of another point":           slices.Concat(point[:1], other[:], point[33:]),
		"the last bit":                 append(bytes.Clone(point[:64]), point[64]^1),
		"zeros":                        append([]byte{4}, make([]byte, 64)...),
		"coordinates beyond the field": append([]byte{4}, bytes.Repeat([]byte{0xff}, 64)...),
		"an unknown form":              append([]byte{5}, point[1:]...),
		"the hybrid form":              append([]byte{6 + point[64]&1}, point[1:]...),
	} {
		twisted := &x509.Certificate{Raw: bytes.Replace(c.Raw, point, with, 1)}
		if bytes.Equal(twisted.Raw, c.Raw) {
			t.Fatal("the certificate has no such point")
		}
		_, err := open(sealedWith(twisted, "ES256", smallDocument, func([]byte) []byte { return make([]byte, 64) }))
		format, ok := errors.AsType[*FormatError](err)
		if !ok || format.Code != "certificate" {
			t.Errorf("%s: %v", name, err)
		}
	}
}
