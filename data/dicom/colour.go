package dicom

import (
	"math"

	"github.com/suyashkumar/dicom/pkg/tag"
)

// colour makes a grey or RGB frame of stored samples.
func (p *pixelFormat) colour(s *samples) *Frame {
	f := &Frame{Height: p.height, Width: p.width, Channels: p.channelsOut()}
	f.Pix = make([]uint8, p.height*p.width*f.Channels)
	switch {
	case p.palette != nil:
		for i, v := range s.values {
			copy(f.Pix[3*i:], p.palette.at(v, p.bitsStored, p.signed))
		}
	case f.Channels == 1:
		grey := p.greyTable()
		for i, v := range s.values {
			f.Pix[i] = grey[v]
		}
	case isYBR(p.photometric) && !s.rgb:
		f.coded = s.coded
		for i := 0; i < len(s.values); i += 3 {
			f.Pix[i], f.Pix[i+1], f.Pix[i+2] = ybrToRGB(s.values[i], s.values[i+1], s.values[i+2])
		}
	default:
		for i, v := range s.values {
			f.Pix[i] = toEight(v, p.bitsStored)
		}
	}
	return f
}

// toEight brings a sample of that many bits to 8: the top bits of more, the
// full range of fewer.
func toEight(v uint16, bits int) uint8 {
	if bits >= 8 {
		return uint8(v >> (bits - 8))
	}
	return uint8(int(v) * 255 / (1<<bits - 1))
}

// ybrToRGB follows PS3.3 C.7.6.3.1.2, YBR_FULL, rounded to the nearest level.
func ybrToRGB(y, cb, cr uint16) (r, g, b uint8) {
	fy, fb, fr := float64(y), float64(cb)-128, float64(cr)-128
	level := func(v float64) uint8 { return uint8(min(max(math.Floor(v+0.5), 0), 255)) }
	return level(fy + 1.402*fr),
		level(fy - 0.114*1.772/0.587*fb - 0.299*1.402/0.587*fr),
		level(fy + 1.772*fb)
}

// window says which values of deep grey pictures are black and white.
type window struct {
	centre, width    float64
	slope, intercept float64
}

func readWindow(h header) window {
	w := window{h.number(tag.WindowCenter, 0), h.number(tag.WindowWidth, 0), h.number(tag.RescaleSlope, 1), h.number(tag.RescaleIntercept, 0)}
	if w.width < 1 || w.slope == 0 {
		return window{}
	}
	return w
}

// greyTable maps every stored value to a grey level. Values of up to 8 bits are
// levels already, as scanners mean them; deeper ones go through the linear
// window of PS3.3 C.11.2.1.2.1, or the full range where there is none.
func (p *pixelFormat) greyTable() []uint8 {
	n := 1 << p.bitsStored
	table := make([]uint8, n)
	for i := range table {
		v := i
		if p.signed {
			v ^= n >> 1 // order of values: most negative first
		}
		level := toEight(uint16(v), p.bitsStored)
		if w := p.window; w.width >= 1 {
			x := float64(i)
			if p.signed && i >= n>>1 {
				x -= float64(n)
			}
			x = w.slope*x + w.intercept
			level = uint8(255 * min(max((x-w.centre+0.5)/max(w.width-1, 1e-9)+0.5, 0), 1))
		}
		if p.photometric == monochrome1 {
			level = 255 - level
		}
		table[i] = level
	}
	return table
}
