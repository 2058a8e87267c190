package bolt

import (
	"encoding/binary"
	"errors"
	"fmt"

	"attesta/registry"
)

// Words that many records share, such as providers and editions, stand once in
// bucketNames and as numbers everywhere else. A number is given in the
// transaction that first needs it and never again to another word. What stands
// there stays for ever: never a learner. The number 0 is the empty word.

const (
	nameOfText   = 0 // then the text
	nameOfNumber = 1 // then the number, four big-endian bytes
)

func wordKey(word string) []byte { return append([]byte{nameOfText}, word...) }

func numberKey(n uint64) []byte {
	return binary.BigEndian.AppendUint32([]byte{nameOfNumber}, uint32(n))
}

// known returns the number of a word, or registry.ErrNotFound.
func (t *tx) known(word string) (uint64, error) {
	if word == "" {
		return 0, nil
	}
	if n, ok := t.numbers[word]; ok {
		return n, nil
	}
	v, err := t.get(bucketNames, wordKey(word))
	if err != nil {
		return 0, err
	}
	d := decoder{b: v}
	n := d.number()
	if err := d.end(); err != nil {
		return 0, fmt.Errorf("reading a name: %w", err)
	}
	if t.numbers == nil {
		t.numbers = map[string]uint64{}
	}
	t.numbers[word] = n
	return n, nil
}

// number returns the number of a word, which it gets now if it has none.
func (t *tx) number(word string) (uint64, error) {
	n, err := t.known(word)
	if !errors.Is(err, registry.ErrNotFound) {
		return n, err
	}
	if n, err = t.next(bucketNames); err != nil {
		return 0, err
	}
	if n > 1<<32-1 || t.has(bucketNames, numberKey(n)) {
		return 0, fmt.Errorf("numbering a name: number %d is taken: %w", n, errDamaged)
	}
	if err := t.put(bucketNames, wordKey(word), binary.AppendUvarint(nil, n)); err != nil {
		return 0, err
	}
	if err := t.put(bucketNames, numberKey(n), []byte(word)); err != nil {
		return 0, err
	}
	return n, nil
}

// word returns the word of a number that was given.
func (t *tx) word(n uint64) (string, error) {
	if n == 0 {
		return "", nil
	}
	if word, ok := t.words[n]; ok {
		return word, nil
	}
	if n > 1<<32-1 {
		return "", fmt.Errorf("reading name %d: %w", n, errDamaged)
	}
	v, err := t.get(bucketNames, numberKey(n))
	if err != nil {
		return "", fmt.Errorf("reading name %d: %v: %w", n, err, errDamaged)
	}
	if t.words == nil {
		t.words = map[uint64]string{}
	}
	t.words[n] = string(v)
	return t.words[n], nil
}
