package jpegll

import "fmt"

// scan decodes one scan: its header (T.81 B.2.3) and its samples (H.1).
func (d *decoder) scan(b []byte) error {
	if d.pic == nil {
		return fmt.Errorf("a scan before the frame header: %w", ErrDamaged)
	}
	if len(b) < 1 || len(b) != 4+2*int(b[0]) || b[0] == 0 {
		return fmt.Errorf("scan header of %d bytes: %w", len(b), ErrDamaged)
	}
	parts, err := d.parts(b[1 : 1+2*int(b[0])])
	if err != nil {
		return err
	}
	selection, point := int(b[len(b)-3]), uint(b[len(b)-1]&0x0F)
	if selection < 1 || selection > 7 {
		return fmt.Errorf("selection value %d is none of lossless JPEG's: %w", selection, ErrDamaged)
	}
	if int(point) >= d.pic.Precision {
		return fmt.Errorf("point transform by %d of %d bits: %w", point, d.pic.Precision, ErrDamaged)
	}
	w := d.pic.Width
	if d.restart%w != 0 { // H.1.1: whole lines
		return fmt.Errorf("restart interval of %d samples on lines of %d: %w", d.restart, w, ErrDamaged)
	}
	in := bits{src: d.src}
	first := 0 // line that began the restart interval
	for y := range d.pic.Height {
		if every := d.restart / w; every > 0 && y > 0 && y%every == 0 {
			if err := in.resync(byte(y/every-1) % 8); err != nil {
				return fmt.Errorf("line %d: %w", y, err)
			}
			first = y
		}
		if err := d.line(&in, parts, y, y == first, selection, point); err != nil {
			return fmt.Errorf("line %d of %d: %w", y, d.pic.Height, err)
		}
	}
	if point > 0 {
		for _, p := range parts {
			for i := p.component; i < len(d.pic.Samples); i += d.pic.Components {
				d.pic.Samples[i] <<= point
			}
		}
	}
	d.src = in.rest()
	return nil
}

// part is one component of a scan.
type part struct {
	component int
	table     *table
}

func (d *decoder) parts(b []byte) ([]part, error) {
	var out []part
	for ; len(b) > 0; b = b[2:] {
		c := -1
		for i, id := range d.ids {
			if id == b[0] && !d.seen[i] {
				c = i
				break
			}
		}
		t := b[1] >> 4
		if c < 0 || t > 3 || d.tables[t] == nil {
			return nil, fmt.Errorf("scan of component %d with table %d: %w", b[0], t, ErrDamaged)
		}
		d.seen[c] = true // each comes once, which bounds the work
		out = append(out, part{c, d.tables[t]})
	}
	return out, nil
}

// line decodes line y of the components of a scan. first: it begins a restart
// interval, so nothing above it counts.
func (d *decoder) line(in *bits, parts []part, y int, first bool, selection int, point uint) error {
	n := d.pic.Components
	stride := d.pic.Width * n
	row := d.pic.Samples[y*stride:][:stride]
	var above []uint16
	if !first {
		above = d.pic.Samples[(y-1)*stride:][:stride]
	}
	for x := 0; x < stride; x += n {
		for _, p := range parts {
			i := x + p.component
			var guess int32 // H.1.2.1
			switch {
			case x == 0 && first:
				guess = 1 << (uint(d.pic.Precision) - point - 1)
			case x == 0:
				guess = int32(above[i])
			case first:
				guess = int32(row[i-n])
			default:
				guess = predict(selection, int32(row[i-n]), int32(above[i]), int32(above[i-n]))
			}
			diff, ok := in.difference(p.table)
			if !ok {
				return fmt.Errorf("no Huffman code matches: %w", ErrDamaged)
			}
			row[i] = uint16(guess + diff) // modulo 2^16, H.1.2.1
		}
	}
	if in.overrun() {
		return fmt.Errorf("the data end too early: %w", ErrDamaged)
	}
	return nil
}

// predict is T.81 table H.1: a to the left, b above, c above a.
func predict(selection int, a, b, c int32) int32 {
	switch selection {
	case 1:
		return a
	case 2:
		return b
	case 3:
		return c
	case 4:
		return a + b - c
	case 5:
		return a + (b-c)>>1
	case 6:
		return b + (a-c)>>1
	}
	return (a + b) >> 1
}

// resync goes behind the restart marker of that number, which must come next.
func (b *bits) resync(number byte) error {
	rest := b.rest()
	if len(rest) < 2 || rest[0] != 0xFF || rest[1] != markerRST0+number {
		return fmt.Errorf("restart marker %d is missing: %w", number, ErrDamaged)
	}
	*b = bits{src: rest[2:]}
	return nil
}

// rest is what follows the entropy-coded bytes: from the next marker.
func (b *bits) rest() []byte {
	s := b.src
	for len(s) > 1 && !(s[0] == 0xFF && s[1] != 0 && s[1] != 0xFF) {
		s = s[1:]
	}
	return s
}
