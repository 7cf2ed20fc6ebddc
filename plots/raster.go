package plots

import (
	"errors"
	"fmt"
	"image"
	"image/color"
	"math"
	"slices"
)

// Map is a field over an imaging plane.
type Map struct {
	Height, Width int
	MMPerPx       float64   // side of a square pixel, mm
	Values        []float32 // [Height × Width], depth by lateral; NaN = missing
}

// Gray is a grey image over an imaging plane, such as a B-mode picture.
type Gray struct {
	Height, Width int
	MMPerPx       float64 // side of a square pixel, mm
	Pix           []uint8 // [Height × Width], depth by lateral
}

func (m Map) widthMM() float64   { return float64(m.Width) * m.MMPerPx }
func (m Map) heightMM() float64  { return float64(m.Height) * m.MMPerPx }
func (g Gray) widthMM() float64  { return float64(g.Width) * g.MMPerPx }
func (g Gray) heightMM() float64 { return float64(g.Height) * g.MMPerPx }

func (m Map) validate() error {
	if err := validateGrid(m.Height, m.Width, m.MMPerPx, len(m.Values)); err != nil {
		return err
	}
	for _, v := range m.Values {
		if finite(float64(v)) {
			return nil
		}
	}
	return errors.New("every pixel is missing (NaN), so there is nothing to draw")
}

func (g Gray) validate() error { return validateGrid(g.Height, g.Width, g.MMPerPx, len(g.Pix)) }

func validateGrid(height, width int, mmPerPx float64, n int) error {
	const longest = 1 << 14 // pixels a side; keeps height × width far from overflow
	switch {
	case height <= 0 || width <= 0:
		return fmt.Errorf("empty grid of %d × %d pixels", height, width)
	case height > longest || width > longest:
		return fmt.Errorf("grid of %d × %d pixels; at most %d a side can be drawn", height, width, longest)
	case n != height*width:
		return fmt.Errorf("%d values for a grid of %d × %d = %d pixels", n, height, width, height*width)
	case !(mmPerPx > 0) || !finite(mmPerPx):
		return fmt.Errorf("MMPerPx is %v; give the side of a pixel in mm", mmPerPx)
	}
	return nil
}

// sameGrid says whether two planes of h × w pixels lie on each other.
func sameGrid(h0, w0 int, mm0 float64, h1, w1 int, mm1 float64) error {
	if h0 != h1 || w0 != w1 {
		return fmt.Errorf("%d × %d pixels beside %d × %d: bring them to one grid first", h1, w1, h0, w0)
	}
	if math.Abs(mm0-mm1) > 1e-6*mm0 {
		return fmt.Errorf("%g mm a pixel beside %g: bring them to one grid first", mm1, mm0)
	}
	return nil
}

// picture colours the field; missing pixels are neutral grey.
func (m Map) picture(cmap colormap, lo, hi float64) image.Image {
	return m.pictureOn(cmap, lo, hi, missingGrey)
}

// pictureOn is picture with missing pixels in a colour of the caller's.
func (m Map) pictureOn(cmap colormap, lo, hi float64, missing color.NRGBA) image.Image {
	img := image.NewNRGBA(image.Rect(0, 0, m.Width, m.Height))
	for i, v := range m.Values {
		c := missing
		if finite(float64(v)) {
			c = cmap.at(float64(v), lo, hi)
		}
		img.SetNRGBA(i%m.Width, i/m.Width, c)
	}
	return img
}

func (g Gray) picture() image.Image {
	return &image.Gray{Pix: g.Pix, Stride: g.Width, Rect: image.Rect(0, 0, g.Width, g.Height)}
}

// difference is a − b where both have a value, on the grid of a.
func difference(a, b Map) Map {
	d := Map{a.Height, a.Width, a.MMPerPx, make([]float32, len(a.Values))}
	for i := range d.Values {
		d.Values[i] = a.Values[i] - b.Values[i]
	}
	return d
}

// quantile returns the value below which a share q of the finite magnitudes lies: a scale's limit that a few wild pixels cannot set.
func quantile(q float64, fields ...Map) float64 {
	var magnitudes []float64
	for _, f := range fields {
		for _, v := range f.Values {
			if finite(float64(v)) {
				magnitudes = append(magnitudes, math.Abs(float64(v)))
			}
		}
	}
	if len(magnitudes) == 0 {
		return 0
	}
	slices.Sort(magnitudes)
	return magnitudes[int(math.Ceil(q*float64(len(magnitudes)-1)))]
}

// span is the range of the finite values of fields.
func span(fields ...Map) limits {
	l := newLimits()
	for _, f := range fields {
		for _, v := range f.Values {
			l.add(float64(v))
		}
	}
	return l
}
