// Package brief is the short form of one award, small enough for a QR that is
// checked without a network: who achieved what, with whom, on which days, where
// the status is published, and the digest of the document that it is short for. It
// is signed with a sealing key of the provider.
//
//	b, err := brief.Of(view, document)
//	text, err := brief.Seal(b, key, now)       // AT1:6BF+...
//	address := brief.Address(publicURL, text)  // HTTPS://HOST/C#AT1:6BF+...
//	sealed, err := brief.Parse(text)
//	err = sealed.Verify(certificate)
//
// The text is AT1: and a COSE_Sign1 message (RFC 9052 section 4.2) in base 41. Its
// protected header has the algorithm (ES256 or ES384), the content format (60,
// CBOR) and as key id the first eight bytes of the SHA-256 of the certificate; the
// certificate itself would make the picture too fine to be read from paper. The
// signature is also over "AT1:" as external data, so that no signature over
// anything else counts as one over this. The payload is a CBOR map under the
// rules of deterministic encoding (RFC 8949 section 4.2.1); docs/reference/compact-qr.md
// has the table of its keys. A brief can be written in one way only: what is
// written otherwise is refused, so one content has one text.
//
// Base 41 writes two bytes as three characters, the lowest first, like base 45
// (RFC 9285), with the digits, the capitals and $ + - / and the full stop. All of
// them are of the alphanumeric kind of a QR and may stand in the fragment of an
// address as they are; the space and % of base 45 may not, and * is taken for a
// mark of bold letters by programs for messages. Nothing is lost: 41³ is more than
// 2¹⁶ as well. The last character is never / or the full stop, which programs that
// make links of addresses leave out at an end. What follows # in an address is
// never sent to a server.
package brief
