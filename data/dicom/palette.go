package dicom

import (
	"encoding/binary"
	"errors"
	"math"

	"github.com/suyashkumar/dicom/pkg/tag"
)

// palette is the three lookup tables of PS3.3 C.7.6.3.1.5 and .6, at 8 bits.
type palette struct {
	first   int // stored value of the first entry
	entries [][3]uint8
}

var errPalette = errors.New("the colour palette is missing or damaged; export in RGB")

func readPalette(h header) (*palette, error) {
	p := new(palette)
	for c, t := range [3]struct{ descriptor, data, segments tag.Tag }{
		{tag.RedPaletteColorLookupTableDescriptor, tag.RedPaletteColorLookupTableData, tag.SegmentedRedPaletteColorLookupTableData},
		{tag.GreenPaletteColorLookupTableDescriptor, tag.GreenPaletteColorLookupTableData, tag.SegmentedGreenPaletteColorLookupTableData},
		{tag.BluePaletteColorLookupTableDescriptor, tag.BluePaletteColorLookupTableData, tag.SegmentedBluePaletteColorLookupTableData},
	} {
		d := h.numbers(t.descriptor)
		if len(d) != 3 || d[2] != 8 && d[2] != 16 {
			return nil, errPalette
		}
		n := int(uint16(int(d[0])))
		if n == 0 {
			n = 1 << 16
		}
		if c == 0 {
			p.first, p.entries = int(d[1]), make([][3]uint8, n)
		} else if n != len(p.entries) {
			return nil, errPalette
		}
		data, _ := get[[]byte](h.values[t.data])
		words := len(data) >= 2*n // entries of 8 bits may come one a word or packed
		if data == nil {
			segments, _ := get[[]byte](h.values[t.segments])
			if data, words = expandSegments(segments, n, d[2] == 16), d[2] == 16; data == nil {
				return nil, errPalette
			}
		}
		if len(data) < n || d[2] == 16 && !words {
			return nil, errPalette
		}
		for i := range n {
			switch {
			case d[2] == 16:
				p.entries[i][c] = data[2*i+1] // little endian: the top 8 bits
			case words:
				p.entries[i][c] = data[2*i]
			default:
				p.entries[i][c] = data[i]
			}
		}
	}
	return p, nil
}

// expandSegments writes a segmented table out in n entries of 8 or 16 bits,
// PS3.3 C.7.9.2: runs of values (opcode 0) and straight lines from the value
// before (1). nil where it does not make n entries; indirect segments (2), which
// no file at hand has, are refused so.
func expandSegments(src []byte, n int, wide bool) []byte {
	size := 1
	if wide {
		size = 2
	}
	in := func(i int) int { // value i, 0 beyond the end
		switch {
		case (i+1)*size > len(src):
			return 0
		case wide:
			return int(binary.LittleEndian.Uint16(src[2*i:]))
		}
		return int(src[i])
	}
	var out []byte
	last := 0
	put := func(v int) {
		if last, out = v, append(out, byte(v)); wide {
			out = append(out, byte(v>>8))
		}
	}
	for at := 0; (at+2)*size < len(src) && len(out) < n*size; {
		opcode, count := in(at), in(at+1)
		at += 2
		switch {
		case opcode == 0 && (at+count)*size <= len(src):
			for i := range count {
				put(in(at + i))
			}
			at += count
		case opcode == 1 && len(out) > 0:
			from, step := float64(last), float64(in(at)-last)/float64(count)
			for i := range count {
				put(int(math.RoundToEven(from + step*float64(i+1))))
			}
			at++
		default:
			return nil
		}
	}
	if len(out) < n*size {
		return nil
	}
	return out[:n*size]
}

// at is the colour of a stored value; values beyond the table take its ends.
func (p *palette) at(v uint16, bits int, signed bool) []uint8 {
	i := int(v)
	if signed && i >= 1<<(bits-1) {
		i -= 1 << bits
	}
	return p.entries[min(max(i-p.first, 0), len(p.entries)-1)][:]
}
