// Package trustlist reads the trusted lists of the European Union: the list of
// lists of the Commission and the national lists that it points to (ETSI TS 119
// 612, version 2), each signed inside itself with XAdES.
//
// A list counts only when it is signed by a certificate that the caller names;
// what is read from it is read from the bytes that the signature covers. The
// package does no input or output and asks no clock.
//
//	lotl, err := trustlist.Read(raw, pinned)
//	for _, p := range lotl.Pointers {
//		national, err := trustlist.Read(fetched[p.Territory], p.Signers)
//	}
package trustlist
