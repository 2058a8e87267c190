package credentials

import (
	"slices"
	"strings"
)

// CompactSDJWT writes a token with disclosures that is serialised as JSON, with
// one signature (RFC 9901 section 8), in its compact form, which ParseSDJWT reads
// and over which a proof of the holder's key is made. It tells whether the data is
// one. Nothing outside the signature is kept but the disclosures and that proof.
func CompactSDJWT(data []byte) ([]byte, bool) {
	if len(data) > 2*maxSDJWTBytes {
		return nil, false
	}
	outer, err := readJSON(data)
	if err != nil {
		return nil, false
	}
	signature := outer
	if list := outer.get("signatures"); list.present() {
		if !list.is(isList) || list.count() != 1 || outer.get("signature").present() || outer.get("protected").present() {
			return nil, false
		}
		signature = list.nth(0)
	}
	protected, ok1 := signature.get("protected").str()
	payload, ok2 := outer.get("payload").str()
	signed, ok3 := signature.get("signature").str()
	header, ok4 := claimsOf(protected)
	if !ok1 || !ok2 || !ok3 || !ok4 {
		return nil, false
	}
	disclosures, proof := signature.at("header", "disclosures"), signature.at("header", "kb_jwt")
	typ, _ := header.get("typ").str()
	if typ != SDJWTType && typ != SDJWTOlderType && !disclosures.is(isList) {
		return nil, false
	}
	parts := []string{protected + "." + payload + "." + signed}
	for n := range disclosures.every() {
		text, _ := n.str() // of anything else an empty part is left, which is refused
		parts = append(parts, text)
	}
	last, _ := proof.str()
	if proof.present() && last == "" || slices.ContainsFunc(parts, func(part string) bool { return strings.Contains(part, "~") }) {
		return nil, false
	}
	return []byte(strings.Join(append(parts, last), "~")), true
}
