//go:build !pkcs11

package keys

import "errors"

// openToken answers for a program without PKCS #11, which needs cgo.
func openToken(Device) (token, error) {
	return nil, errors.New("this program was built without PKCS#11: go build -tags pkcs11")
}
