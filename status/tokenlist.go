package status

// withToken returns the byte of a Token Status List with entry i given a value of
// so many bits: 1, 2, 4 or 8. Entry 0 stands in the least significant bits of the
// first byte (draft-ietf-oauth-status-list, section 4.1).
func withToken(b byte, bits, i uint32, value uint8) byte {
	mask := byte(1<<bits - 1)
	shift := i % (8 / bits) * bits
	return b&^(mask<<shift) | value&mask<<shift
}

// tokenValue reads what withToken wrote. The index must be inside the array.
func tokenValue(array []byte, bits, i uint32) uint8 {
	per := 8 / bits
	return array[i/per] >> (i % per * bits) & byte(1<<bits-1)
}

// withBit returns the byte of a Bitstring Status List with the bit of entry i set
// or not. Entry 0 is the left-most bit of the first byte.
func withBit(b byte, i uint32, set bool) byte {
	bit := byte(0x80) >> (i % 8)
	if set {
		return b | bit
	}
	return b &^ bit
}

// sets tells whether this status sets the bit of a purpose.
func (v Value) sets(p Purpose) bool {
	return v == Revoked && p == Revocation || v == Suspended && p == Suspension
}
