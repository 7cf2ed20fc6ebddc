package jpegll

import "fmt"

// categories is the number of difference categories, T.81 table H.2: 0 to 16.
const categories = 17

// lookBits is how many bits the fast table resolves at once.
const lookBits = 9

// table decodes one canonical Huffman code, T.81 annex C.
type table struct {
	look   [1 << lookBits]uint16 // length<<8 | value of codes of up to lookBits bits; 0: longer
	maxOf  [18]int32             // largest code of a length, -1: none; [17] ends the search
	offset [17]int32             // index of a length's first value minus its first code
	values []byte
}

// newTable reads 16 counts and their values, and says how many bytes it used.
func newTable(b []byte) (*table, int, error) {
	t := &table{}
	total := 0
	for _, n := range b[:16] {
		total += int(n)
	}
	if total == 0 || total > categories || len(b) < 16+total {
		return nil, 0, fmt.Errorf("Huffman table of %d codes: %w", total, ErrDamaged)
	}
	t.values = b[16 : 16+total]
	for _, v := range t.values {
		if v >= categories {
			return nil, 0, fmt.Errorf("difference category %d: %w", v, ErrDamaged)
		}
	}
	code, k := int32(0), int32(0)
	for length := 1; length <= 16; length++ {
		n := int32(b[length-1])
		t.maxOf[length], t.offset[length] = -1, k-code
		if code+n > 1<<length {
			return nil, 0, fmt.Errorf("Huffman table with more codes of %d bits than there are: %w", length, ErrDamaged)
		}
		for range n {
			if length <= lookBits {
				first := code << (lookBits - length)
				for i := range int32(1) << (lookBits - length) {
					t.look[first+i] = uint16(length)<<8 | uint16(t.values[k])
				}
			}
			t.maxOf[length] = code
			code++
			k++
		}
		code <<= 1
	}
	return t, 16 + total, nil
}

// bits reads entropy-coded bits, most significant first, removing stuffed
// zeros. At a marker or the end it delivers zeros and counts them.
type bits struct {
	src     []byte
	acc     uint64
	n       uint // bits in acc
	missing uint // bits delivered that the stream does not have
}

func (b *bits) fill() {
	for b.n <= 48 {
		v := byte(0)
		switch {
		case len(b.src) == 0, b.src[0] == 0xFF && (len(b.src) == 1 || b.src[1] != 0):
			b.missing += 8
		case b.src[0] == 0xFF:
			v, b.src = 0xFF, b.src[2:]
		default:
			v, b.src = b.src[0], b.src[1:]
		}
		b.acc = b.acc<<8 | uint64(v)
		b.n += 8
	}
}

// overrun reports whether bits were used that the stream does not have.
func (b *bits) overrun() bool { return b.missing > b.n }

// difference decodes one difference, T.81 H.1.2.2; ok is false where no code
// matches.
func (b *bits) difference(t *table) (diff int32, ok bool) {
	if b.n < 32 {
		b.fill()
	}
	var category uint
	if e := t.look[b.acc>>(b.n-lookBits)&(1<<lookBits-1)]; e != 0 {
		b.n -= uint(e >> 8)
		category = uint(e & 0xFF)
	} else {
		length := uint(lookBits + 1)
		var code int32
		for ; length <= 16; length++ {
			if code = int32(b.acc >> (b.n - length) & (1<<length - 1)); code <= t.maxOf[length] {
				break
			}
		}
		if length > 16 {
			return 0, false
		}
		b.n -= length
		category = uint(t.values[code+t.offset[length]])
	}
	switch category {
	case 0:
		return 0, true
	case 16: // no further bits: the one difference modulo 2^16 without a sign
		return 1 << 15, true
	}
	b.n -= category
	v := int32(b.acc >> b.n & (1<<category - 1))
	if v < 1<<(category-1) {
		v -= 1<<category - 1
	}
	return v, true
}
