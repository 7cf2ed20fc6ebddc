package dicomtest

import (
	"encoding/binary"
	"slices"
)

// RLE codes byte planes as one DICOM RLE frame, PS3.5 annex G, with runs where
// bytes repeat.
func RLE(planes ...[]byte) []byte {
	out := binary.LittleEndian.AppendUint32(nil, uint32(len(planes)))
	out = append(out, make([]byte, 60)...)
	for i, p := range planes {
		binary.LittleEndian.PutUint32(out[4+4*i:], uint32(len(out)))
		for len(p) > 0 {
			run := 1
			for run < len(p) && run < 128 && p[run] == p[0] {
				run++
			}
			if run > 1 {
				out = append(out, byte(1-run), p[0])
				p = p[run:]
				continue
			}
			n := 1
			for n < len(p) && n < 128 && (n+1 >= len(p) || p[n] != p[n+1]) {
				n++
			}
			out = append(append(out, byte(n-1)), p[:n]...)
			p = p[n:]
		}
		if len(out)%2 == 1 {
			out = append(out, 0)
		}
	}
	return out
}

// Lossless is how JPEGLossless codes a picture.
type Lossless struct {
	Height, Width, Components int
	Precision                 int  // bits a sample
	Selection                 int  // 1 to 7
	Point                     uint // point transform
	RestartLines              int  // 0: no restart markers
	Separate                  bool // a scan for each component
}

// JPEGLossless codes samples [Height, Width, Components] by process 14 of ITU-T
// T.81, straight from its text and apart from our decoder. Codes of 1 to 16 bits
// occur.
func JPEGLossless(samples []uint16, o Lossless) []byte {
	out := []byte{0xFF, 0xD8, 0xFF, 0xC4, 0, 2 + 17 + 17, 0}
	counts := [16]byte{15: 3} // one code of each length to 14 bits, three of 16
	for i := range 14 {
		counts[i] = 1
	}
	order := []byte{3, 2, 4, 1, 0, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16} // categories, commonest first
	out = append(append(out, counts[:]...), order...)
	out = append(out, 0xFF, 0xC3, 0, byte(8+3*o.Components), byte(o.Precision), byte(o.Height>>8), byte(o.Height), byte(o.Width>>8), byte(o.Width), byte(o.Components))
	var all []int
	for c := range o.Components {
		out = append(out, byte(c+1), 0x11, 0)
		all = append(all, c)
	}
	if o.RestartLines > 0 {
		n := o.RestartLines * o.Width
		out = append(out, 0xFF, 0xDD, 0, 4, byte(n>>8), byte(n))
	}
	scans := [][]int{all}
	if o.Separate {
		scans = slices.Collect(slices.Chunk(all, 1))
	}
	for _, scan := range scans {
		out = append(out, 0xFF, 0xDA, 0, byte(6+2*len(scan)), byte(len(scan)))
		for _, c := range scan {
			out = append(out, byte(c+1), 0)
		}
		out = append(out, byte(o.Selection), 0, byte(o.Point))
		out = o.scan(out, samples, scan, order)
	}
	return append(out, 0xFF, 0xD9)
}

func (o Lossless) scan(out []byte, samples []uint16, scan []int, order []byte) []byte {
	var acc, n uint
	put := func(v, bits uint) {
		for k := bits; k > 0; k-- {
			acc, n = acc<<1|v>>(k-1)&1, n+1
			if n == 8 {
				if out = append(out, byte(acc)); acc == 0xFF {
					out = append(out, 0)
				}
				acc, n = 0, 0
			}
		}
	}
	flush := func() {
		for n > 0 {
			put(1, 1)
		}
	}
	at := func(y, x, c int) int { return int(samples[(y*o.Width+x)*o.Components+c] >> o.Point) }
	first := 0
	for y := range o.Height {
		if o.RestartLines > 0 && y > 0 && y%o.RestartLines == 0 {
			flush()
			out = append(out, 0xFF, 0xD0+byte((y/o.RestartLines-1)%8))
			first = y
		}
		for x := range o.Width {
			for _, c := range scan {
				var guess int
				switch {
				case x == 0 && y == first:
					guess = 1 << (o.Precision - int(o.Point) - 1)
				case y == first:
					guess = at(y, x-1, c)
				case x == 0:
					guess = at(y-1, x, c)
				default:
					a, b, d := at(y, x-1, c), at(y-1, x, c), at(y-1, x-1, c)
					guess = [8]int{0, a, b, d, a + b - d, a + (b-d)>>1, b + (a-d)>>1, (a + b) >> 1}[o.Selection]
				}
				diff := int(int16(at(y, x, c) - guess)) // modulo 2^16
				category, magnitude := uint(0), max(diff, -diff)
				for magnitude>>category > 0 {
					category++
				}
				k := uint(slices.Index(order, byte(category)))
				switch {
				case k < 14: // k ones and a zero
					put(1<<(k+1)-2, k+1)
				default:
					put(0xFFFC+k-14, 16)
				}
				if category > 0 && category < 16 {
					if diff < 0 {
						diff--
					}
					put(uint(diff)&(1<<category-1), category)
				}
			}
		}
	}
	flush()
	return out
}
