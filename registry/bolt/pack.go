package bolt

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"attesta/registry"
)

// parcel is a sealed document made ready to be stored.
type parcel struct {
	digest string
	packed []byte
}

func (s *Store) parcel(sealed []byte) parcel {
	digest := sha256.Sum256(sealed)
	return parcel{hex.EncodeToString(digest[:]), s.packer.Pack(sealed)}
}

// unpack gives back the bytes of a parcel.
func unpack(b []byte, digest string) ([]byte, error) {
	out, err := registry.Unpack(b, digest)
	if err != nil {
		return nil, fmt.Errorf("%v: %w", err, errDamaged)
	}
	return out, nil
}
