// Package jpegdct tells what a JPEG holds beside its pixels: how coarsely each
// frequency of a block was rounded, and with that the brightness and colour as
// they were coded, before a decoder rounded them to whole levels and cut them
// off at 0 and 255. In a smooth colour that rounding is half a level everywhere.
//
// Which pixels a file has, and whether it is one, is for image/jpeg to say; this
// package reads the coefficients of a stream that image/jpeg has decoded. It
// knows nothing of what a picture shows.
package jpegdct

import (
	"bytes"
	"image"
	"image/jpeg"
	"math"
)

// Picture is a JPEG in brightness and colour.
type Picture struct {
	*image.YCbCr // as image/jpeg decodes it
	coded        coded
}

// Decode reads a JPEG. One in brightness and colour comes back as a *Picture,
// any other as image/jpeg has it.
func Decode(b []byte) (image.Image, error) {
	im, err := jpeg.Decode(bytes.NewReader(b))
	if err != nil {
		return nil, err
	}
	pixels, ok := im.(*image.YCbCr)
	if !ok {
		return im, nil
	}
	return &Picture{pixels, readCoded(b)}, nil
}

// Steps are how coarsely the coefficients of a block were rounded, in levels,
// [vertical, horizontal frequency]; 0 where that is unknown.
type Steps [Side * Side]float64

// Plane is the brightness or one colour of a picture, in samples, which may
// stand for several pixels. It is whole blocks: a picture may end before them.
type Plane struct {
	Width, Height int       // samples
	FX, FY        int       // pixels to a sample, across and down
	Levels        []float32 // [Height, Width], 0 to 255 and perhaps beyond; 128 is no colour
	Steps         Steps
}

// Plane is number 0 (Y), 1 (Cb) or 2 (Cr).
func (p *Picture) Plane(number int) *Plane {
	pix, stride := p.Y, p.YStride
	out := &Plane{FX: 1, FY: 1, Steps: p.coded.steps[number]}
	if number > 0 {
		pix, stride = p.Cb, p.CStride
		if number == 2 {
			pix = p.Cr
		}
		out.FX, out.FY = ratio(p.SubsampleRatio)
	}
	blocks := func(pixels, perSample int) int { return Side * ((pixels + Side*perSample - 1) / (Side * perSample)) }
	out.Width, out.Height = blocks(p.Rect.Dx(), out.FX), blocks(p.Rect.Dy(), out.FY)
	out.Levels = make([]float32, out.Width*out.Height)
	for y := 0; y < out.Height; y += Side {
		for x := 0; x < out.Width; x += Side {
			var samples Block
			for i := range samples {
				samples[i] = float64(pix[(y+i/Side)*stride+x+i%Side]) - middle
			}
			if levels, ok := p.coded.block(number, x/Side, y/Side); ok && levels.decodesTo(&samples) {
				samples = levels
			}
			for i, v := range samples {
				out.Levels[(y+i/Side)*out.Width+x+i%Side] = float32(v + middle)
			}
		}
	}
	return out
}

// middle is the level that a JPEG codes as 0.
const middle = 128

// ratio is how many pixels across and down share a colour sample.
func ratio(r image.YCbCrSubsampleRatio) (across, down int) {
	switch r {
	case image.YCbCrSubsampleRatio422:
		return 2, 1
	case image.YCbCrSubsampleRatio420:
		return 2, 2
	case image.YCbCrSubsampleRatio440:
		return 1, 2
	case image.YCbCrSubsampleRatio411:
		return 4, 1
	case image.YCbCrSubsampleRatio410:
		return 4, 2
	}
	return 1, 1
}

// decodesTo tells whether levels are what these samples were before they were
// rounded and cut off. Transforms differ by a level.
func (b *Block) decodesTo(samples *Block) bool {
	for i, v := range b {
		if math.Abs(min(max(v, -middle), middle-1)-samples[i]) > 1.5 {
			return false
		}
	}
	return true
}

// At interpolates the level at a pixel of a picture of w x h pixels linearly.
func (p *Plane) At(x, y, w, h int) float32 {
	if p.FX == 1 && p.FY == 1 {
		return p.Levels[y*p.Width+x]
	}
	x0, x1, tx := between(x, p.FX, w)
	y0, y1, ty := between(y, p.FY, h)
	a, b := p.Levels[y0*p.Width:], p.Levels[y1*p.Width:]
	return (a[x0]*(1-tx)+a[x1]*tx)*(1-ty) + (b[x0]*(1-tx)+b[x1]*tx)*ty
}

// between is the samples on both sides of a pixel and the weight of the second.
func between(pixel, perSample, pixels int) (before, after int, share float32) {
	last := (pixels - 1) / perSample
	at := min(max((float32(pixel)+0.5)/float32(perSample)-0.5, 0), float32(last))
	before = int(at)
	return before, min(before+1, last), at - float32(before)
}
