// Package receipt writes down what was checked, when and with which answers, as
// a PDF that its maker signs (PAdES baseline B-B, ETSI EN 319 142-1 clause 6). It
// knows no verdicts and no languages: it puts on paper the words that it is given,
// whatever is in them.
//
//	pdf, err := receipt.Make(content, receipt.Signer{Key: signer, Chain: key.Chain()})
//
// The signature covers every byte of the file but its own, and certifies the
// document: a reader says of any later change, also of one that is only added,
// that it is not by whoever signed.
package receipt
