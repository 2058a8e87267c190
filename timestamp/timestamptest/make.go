package timestamptest

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"math/big"
	"time"
)

// Flaw is the one thing that is wrong with a token.
type Flaw string

// Flaws of a token. Those of the certificate make a new one, under the same
// root.
const (
	None              Flaw = ""
	WrongImprint      Flaw = "imprint of other data"
	ShortImprint      Flaw = "imprint cut short"
	OtherSigner       Flaw = "signed with another key"
	OtherCertificate  Flaw = "names another certificate of the same key"
	OtherIssuer       Flaw = "names another issuer beside the certificate"
	OtherSerial       Flaw = "signer with the serial number of another certificate"
	NoCertificateID   Flaw = "names no certificate"
	NoCertificates    Flaw = "carries no certificate"
	TwoSigners        Flaw = "two signers"
	NoEKU             Flaw = "certificate without purpose"
	PlainEKU          Flaw = "purpose of the certificate not critical"
	SecondEKU         Flaw = "certificate with a second purpose"
	UnknownEKU        Flaw = "certificate with an unknown second purpose"
	CALeaf            Flaw = "certificate of a certificate authority"
	NoSigning         Flaw = "certificate of a key that may not sign"
	ExpiredLeaf       Flaw = "certificate expired at the stamped time"
	FutureLeaf        Flaw = "certificate not yet valid at the stamped time"
	SecondVersion     Flaw = "version 2"
	CriticalExtension Flaw = "unknown critical extension"
	TrailingElement   Flaw = "an element after the last"
	TrailingInSigner  Flaw = "an element after the last of the signer"
	OddParameters     Flaw = "digest algorithm with a NULL that is not empty"
	LocalTime         Flaw = "time not in UTC"
	WrongContentType  Flaw = "signed content type of data"
	WrongDigest       Flaw = "digest of other contents"
	TwiceDigest       Flaw = "digest stands twice"
	MixedAlgorithms   Flaw = "signature algorithm with another digest"
)

// Options say how a token is made. The zero value makes a good one.
type Options struct {
	Hash   crypto.Hash   // of the imprint; SHA-256 when zero
	Digest crypto.Hash   // of the signature; SHA-256 when zero
	Time   time.Time     // the clock's when zero; cut to seconds
	Nonce  *big.Int      // none when nil
	Key    crypto.Signer // ECDSA or RSA, gets a certificate of its own; the authority's when nil
	OldID  bool          // names the certificate by SHA-1, as before RFC 5816
	Copies int           // of the root's certificate, beside the one that is carried anyway
	ByKey  bool          // names the signer by the identifier of its key
	Flaw   Flaw
}

// Make is a token over data.
func (a *Authority) Make(data []byte, o Options) []byte {
	a.t.Helper()
	if o.Hash == 0 {
		o.Hash = crypto.SHA256
	}
	if o.Flaw == WrongImprint {
		data = append([]byte("other "), data...)
	}
	token, err := a.make(digest(o.Hash, data), o)
	if err != nil {
		a.t.Fatal(err)
	}
	return token
}

func digest(h crypto.Hash, data []byte) []byte {
	d := h.New()
	d.Write(data)
	return d.Sum(nil)
}

// The shapes of RFC 3161 clause 2.4.2 and RFC 5652 clause 5.
type (
	tstInfo struct {
		Version int
		Policy  asn1.ObjectIdentifier
		Imprint struct {
			Algorithm pkix.AlgorithmIdentifier
			Hash      []byte
		}
		Serial     *big.Int
		Time       asn1.RawValue
		Nonce      *big.Int         `asn1:"optional"`
		Extensions []pkix.Extension `asn1:"optional,omitempty,tag:1"`
		Trailing   asn1.RawValue    `asn1:"optional"`
	}
	content struct {
		Type  asn1.ObjectIdentifier
		Value asn1.RawValue
	}
	signedData struct {
		Version      int
		Digests      []pkix.AlgorithmIdentifier `asn1:"set"`
		Content      content
		Certificates asn1.RawValue `asn1:"optional"`
		Signers      []signerInfo  `asn1:"set"`
	}
	issuerAndSerial struct {
		Issuer asn1.RawValue
		Serial *big.Int
	}
	signerInfo struct {
		Version    int
		By         asn1.RawValue
		Digest     pkix.AlgorithmIdentifier
		Attributes asn1.RawValue
		Algorithm  pkix.AlgorithmIdentifier
		Signature  []byte
		Trailing   asn1.RawValue `asn1:"optional"`
	}
	attribute struct {
		Type   asn1.ObjectIdentifier
		Values asn1.RawValue
	}
)

func (a *Authority) make(imprint []byte, o Options) ([]byte, error) {
	if o.Digest == 0 {
		o.Digest = crypto.SHA256
	}
	if o.Time.IsZero() {
		o.Time = a.now()
	}
	o.Time = o.Time.UTC().Truncate(time.Second)
	key, leaf := a.leafKey, a.Leaf
	if o.Key != nil {
		key = o.Key
	}
	if o.Key != nil || o.Flaw != None {
		var err error
		if leaf, err = a.makeLeaf(key.Public(), o.Time, o.Flaw); err != nil {
			return nil, err
		}
	}
	info, err := a.info(imprint, o)
	if err != nil {
		return nil, fmt.Errorf("writing the information: %w", err)
	}
	signer, err := a.signer(info, key, leaf, o)
	if err != nil {
		return nil, fmt.Errorf("signing: %w", err)
	}
	signers := []signerInfo{signer}
	if o.Flaw == TwoSigners {
		signers = append(signers, signer)
	}
	sealed, err := asn1.Marshal(signedData{
		Version: 3, Digests: []pkix.AlgorithmIdentifier{{Algorithm: hashOID(o.Digest)}},
		Content:      content{asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 1, 4}, explicit(octets(info))},
		Certificates: a.certificates(leaf, o), Signers: signers,
	})
	if err != nil {
		return nil, err
	}
	return asn1.Marshal(content{asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 2}, explicit(sealed)})
}

// certificates puts the root first: a reader may not rely on the order.
func (a *Authority) certificates(leaf *x509.Certificate, o Options) asn1.RawValue {
	if o.Flaw == NoCertificates {
		return asn1.RawValue{}
	}
	all := append(bytes.Repeat(a.Root.Raw, 1+o.Copies), leaf.Raw...)
	return asn1.RawValue{Class: asn1.ClassContextSpecific, IsCompound: true, Bytes: all}
}

func (a *Authority) info(imprint []byte, o Options) ([]byte, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return nil, err
	}
	info := tstInfo{
		Version: 1, Policy: asn1.ObjectIdentifier{2, 999, 1}, Serial: serial, Nonce: o.Nonce,
		Time: asn1.RawValue{Tag: asn1.TagGeneralizedTime, Bytes: []byte(o.Time.Format("20060102150405Z"))},
	}
	info.Imprint.Algorithm = pkix.AlgorithmIdentifier{Algorithm: hashOID(o.Hash), Parameters: asn1.NullRawValue}
	info.Imprint.Hash = imprint
	switch o.Flaw {
	case ShortImprint:
		info.Imprint.Hash = imprint[:len(imprint)-1]
	case SecondVersion:
		info.Version = 2
	case LocalTime:
		info.Time.Bytes = []byte(o.Time.Format("20060102150405") + "+0100")
	case CriticalExtension:
		info.Extensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 999, 3}, Critical: true, Value: []byte{5, 0}}}
	case TrailingElement:
		info.Trailing = asn1.NullRawValue
	default:
		info.Extensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 999, 3}, Value: []byte{5, 0}}}
	}
	return asn1.Marshal(info)
}

func (a *Authority) signer(info []byte, key crypto.Signer, leaf *x509.Certificate, o Options) (signerInfo, error) {
	attributes, err := a.attributes(info, leaf, o)
	if err != nil {
		return signerInfo{}, err
	}
	set, err := asn1.MarshalWithParams(attributes, "set")
	if err != nil {
		return signerInfo{}, err
	}
	if o.Flaw == OtherSigner {
		key = a.rootKey
	}
	signature, err := key.Sign(rand.Reader, digest(o.Digest, set), o.Digest)
	if err != nil {
		return signerInfo{}, err
	}
	claimed := o.Digest
	if o.Flaw == MixedAlgorithms {
		claimed = crypto.SHA512
	}
	algorithm, err := signatureOID(key.Public(), claimed)
	if err != nil {
		return signerInfo{}, err
	}
	set[0] = 0xa0 // [0] IMPLICIT
	version, by, err := signerID(leaf, o)
	if err != nil {
		return signerInfo{}, err
	}
	signer := signerInfo{
		Version: version, By: by, Digest: pkix.AlgorithmIdentifier{Algorithm: hashOID(o.Digest)},
		Attributes: asn1.RawValue{FullBytes: set}, Algorithm: algorithm, Signature: signature,
	}
	switch o.Flaw {
	case TrailingInSigner:
		signer.Trailing = asn1.NullRawValue
	case OddParameters:
		signer.Digest.Parameters = asn1.RawValue{Tag: asn1.TagNull, Bytes: []byte{0}}
	default:
	}
	return signer, nil
}

// signerID is a SignerIdentifier with the version that goes with it.
func signerID(leaf *x509.Certificate, o Options) (version int, id asn1.RawValue, err error) {
	if o.ByKey {
		return 3, asn1.RawValue{Class: asn1.ClassContextSpecific, Bytes: leaf.SubjectKeyId}, nil
	}
	serial := leaf.SerialNumber
	if o.Flaw == OtherSerial {
		serial = new(big.Int).Add(serial, big.NewInt(1))
	}
	der, err := asn1.Marshal(issuerAndSerial{asn1.RawValue{FullBytes: leaf.RawIssuer}, serial})
	return 1, asn1.RawValue{FullBytes: der}, err
}

func (a *Authority) attributes(info []byte, leaf *x509.Certificate, o Options) ([]attribute, error) {
	kind := asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 1, 4}
	if o.Flaw == WrongContentType {
		kind = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 1}
	}
	if o.Flaw == WrongDigest {
		info = append([]byte("other "), info...)
	}
	named, issuer := leaf, leaf.RawIssuer
	if o.Flaw == OtherCertificate {
		var err error
		if named, err = a.makeLeaf(leaf.PublicKey, o.Time, None); err != nil {
			return nil, err
		}
	}
	if o.Flaw == OtherIssuer {
		issuer = leaf.RawSubject
	}
	type certID struct {
		Hash   []byte
		Issuer struct {
			Names  []asn1.RawValue
			Serial *big.Int
		}
	}
	id := certID{Hash: digest(crypto.SHA256, named.Raw)}
	oid := asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 47}
	if o.OldID {
		id.Hash, oid[8] = digest(crypto.SHA1, named.Raw), 12
	}
	id.Issuer.Names = []asn1.RawValue{{Class: asn1.ClassContextSpecific, Tag: 4, IsCompound: true, Bytes: issuer}}
	id.Issuer.Serial = named.SerialNumber
	values := []struct {
		oid   asn1.ObjectIdentifier
		value any
	}{
		{asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 3}, kind},
		{asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 4}, digest(o.Digest, info)},
		{oid, struct{ IDs []certID }{[]certID{id}}},
	}
	switch o.Flaw {
	case NoCertificateID:
		values = values[:2]
	case TwiceDigest:
		values = append(values, values[1])
	default:
	}
	var all []attribute
	for _, v := range values {
		der, err := asn1.Marshal(v.value)
		if err != nil {
			return nil, err
		}
		all = append(all, attribute{v.oid, asn1.RawValue{Tag: asn1.TagSet, IsCompound: true, Bytes: der}})
	}
	return all, nil
}

func explicit(der []byte) asn1.RawValue {
	return asn1.RawValue{Class: asn1.ClassContextSpecific, IsCompound: true, Bytes: der}
}

// octets wraps bytes as an OCTET STRING, which no bytes make fail.
func octets(data []byte) []byte {
	der, _ := asn1.Marshal(data)
	return der
}

func hashOID(h crypto.Hash) asn1.ObjectIdentifier {
	switch h {
	case crypto.SHA1:
		return asn1.ObjectIdentifier{1, 3, 14, 3, 2, 26}
	case crypto.SHA384:
		return asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 2}
	case crypto.SHA512:
		return asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 3}
	default:
		return asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 1}
	}
}

func signatureOID(key crypto.PublicKey, h crypto.Hash) (pkix.AlgorithmIdentifier, error) {
	last := map[crypto.Hash]int{crypto.SHA256: 0, crypto.SHA384: 1, crypto.SHA512: 2}
	switch key.(type) {
	case *ecdsa.PublicKey:
		if h == crypto.SHA1 {
			return pkix.AlgorithmIdentifier{Algorithm: asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 1}}, nil
		}
		return pkix.AlgorithmIdentifier{Algorithm: asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 2 + last[h]}}, nil
	case *rsa.PublicKey:
		if h == crypto.SHA1 {
			return pkix.AlgorithmIdentifier{Algorithm: asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 5}, Parameters: asn1.NullRawValue}, nil
		}
		return pkix.AlgorithmIdentifier{Algorithm: asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 11 + last[h]}, Parameters: asn1.NullRawValue}, nil
	}
	return pkix.AlgorithmIdentifier{}, errors.New("the key is neither ECDSA nor RSA")
}
