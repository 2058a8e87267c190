package credentials

import (
	"errors"
	"fmt"

	"github.com/consensys/gnark-crypto/ecc/secp256r1/fp"
	"github.com/consensys/gnark-crypto/ecc/secp256r1/fr"
)

// point is one of P-256 by its coordinates. The point at infinity has zeros: no
// other point has y zero.
type point struct{ x, y fp.Element }

func (p *point) isInfinite() bool { return p.y.IsZero() }

// adder adds points. A sum in coordinates needs a division; those of all sums of
// a call are made with one inversion, from the product of what they divide by.
type adder struct{ divisors, before []fp.Element }

// addAll adds to every point the one in the same place of more.
func (a *adder) addAll(to, more []point) {
	for len(a.divisors) < len(to) {
		a.divisors, a.before = append(a.divisors, fp.Element{}), append(a.before, fp.Element{})
	}
	product := fp.One()
	for i := range to {
		divide := &a.divisors[i]
		to[i].divisor(&more[i], divide)
		a.before[i] = product
		product.Mul(&product, divide)
	}
	product.Inverse(&product)
	var inverse fp.Element
	for i := len(to) - 1; i >= 0; i-- {
		inverse.Mul(&product, &a.before[i])
		product.Mul(&product, &a.divisors[i])
		to[i].add(&more[i], &inverse)
	}
}

// divisor is what p + q divides by, or one if it is nothing.
func (p *point) divisor(q *point, d *fp.Element) {
	if p.isInfinite() || q.isInfinite() {
		d.SetOne()
		return
	}
	if d.Sub(&q.x, &p.x); d.IsZero() {
		if d.Add(&p.y, &q.y); d.IsZero() {
			d.SetOne()
		}
	}
}

// add adds q to p; inverse is one over their divisor (SEC 1, section 2.2.1).
func (p *point) add(q *point, inverse *fp.Element) {
	var slope, x, y fp.Element
	switch {
	case q.isInfinite():
		return
	case p.isInfinite():
		*p = *q
		return
	case !p.x.Equal(&q.x):
		slope.Sub(&q.y, &p.y)
	case !p.y.Equal(&q.y):
		*p = point{}
		return
	default: // the tangent of a curve whose a is -3
		one := fp.One()
		slope.Square(&p.x)
		slope.Sub(&slope, &one)
		x.Double(&slope)
		slope.Add(&slope, &x)
	}
	slope.Mul(&slope, inverse)
	x.Square(&slope)
	x.Sub(&x, &p.x)
	x.Sub(&x, &q.x)
	y.Sub(&p.x, &x)
	y.Mul(&y, &slope)
	p.y.Sub(&y, &p.y)
	p.x = x
}

// A scalar is written in digits of so many bits, from minus half to half of base.
const (
	digitBits = 12
	base      = 1 << digitBits
	rows      = 256/digitBits + 1
)

// multiples of a point: in row i those by 0 to half of base times base to the
// power of i.
type multiples [rows][base/2 + 1]point

// multiplesOf takes a point of the curve, both its coordinates of 32 bytes.
func multiplesOf(xy []byte) (*multiples, error) {
	var step point
	if err := errors.Join(step.x.SetBytesCanonical(xy[:32]), step.y.SetBytesCanonical(xy[32:])); err != nil {
		return nil, fmt.Errorf("reading a point: %w", err)
	}
	m, a := new(multiples), new(adder)
	for i := range m {
		row := &m[i]
		row[1] = step
		for have := 1; have < base/2; have *= 2 { // n and have, for every n that is there
			next := row[have+1 : 2*have+1]
			for n := range next {
				next[n] = row[have]
			}
			a.addAll(next, row[1:have+1])
		}
		twice := []point{row[base/2]}
		a.addAll(twice, twice[:1:1])
		step = twice[0]
	}
	return m, nil
}

// digitsOf are the digits of a number, whose most significant byte is the first;
// the least significant digit is the first.
func digitsOf(number *[32]byte) (all [rows]int) {
	bits, have, next, carry := 0, 0, len(number), 0
	for i := range all {
		for ; have < digitBits && next > 0; have += 8 {
			next--
			bits |= int(number[next]) << have
		}
		digit := bits&(base-1) + carry
		bits, have, carry = bits>>digitBits, have-digitBits, 0
		if digit > base/2 {
			digit, carry = digit-base, 1
		}
		all[i] = digit
	}
	return all
}

// check is a signature, r and s of 32 bytes each for P-256, over a digest.
type check struct{ digest, signature []byte }

// atOnce is how many signatures are verified together: their points are to lie
// near the processor.
const atOnce = 32

// bench is where signatures are verified together.
type bench struct {
	adder
	points [2 * rows * atOnce]point
}

// verify tells which of at most atOnce signatures of a key are good (FIPS 186-5,
// section 6.4.2) for their digests of 32 bytes. It has the multiples of the key and
// those of the generator.
func (b *bench) verify(key, generator *multiples, checks []check) (good [atOnce]bool) {
	var of [atOnce]int // which of checks they are
	rs, ss := make([]fr.Element, 0, atOnce), make([]fr.Element, 0, atOnce)
	for n, c := range checks {
		var r, s fr.Element
		if len(c.digest) != 32 || len(c.signature) != 64 || r.SetBytesCanonical(c.signature[:32]) != nil || s.SetBytesCanonical(c.signature[32:]) != nil ||
			r.IsZero() || s.IsZero() {
			continue
		}
		of[len(rs)] = n
		rs, ss = append(rs, r), append(ss, s)
	}
	n := len(rs)
	for i, inverse := range fr.BatchInvert(ss) {
		var u, v fr.Element
		u.Mul(u.SetBytes(checks[of[i]].digest), &inverse)
		v.Mul(&rs[i], &inverse)
		b.lay(generator, &u, b.points[i:], n)
		b.lay(key, &v, b.points[rows*n+i:], n)
	}
	for have := 2 * rows; have > 1; have -= have / 2 { // the last half of them to the first
		half := have / 2
		b.addAll(b.points[:half*n], b.points[(have-half)*n:have*n])
	}
	for i := range rs {
		sum := &b.points[i]
		x := sum.x.Bytes()
		var r fr.Element
		good[of[i]] = !sum.isInfinite() && r.SetBytes(x[:]).Equal(&rs[i])
	}
	return good
}

// lay puts the points whose sum is a multiple so far apart.
func (b *bench) lay(m *multiples, by *fr.Element, at []point, apart int) {
	scalar := by.Bytes()
	for i, digit := range digitsOf(&scalar) {
		p := &at[i*apart]
		*p = m[i][max(digit, -digit)]
		if digit < 0 {
			p.y.Neg(&p.y)
		}
	}
}
