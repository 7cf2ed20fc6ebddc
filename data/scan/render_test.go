package scan

import (
	"crypto/sha256"
	"encoding/binary"
	"image"
	"math"
	"math/rand/v2"
	"testing"

	"elastography/data/scan/example"
)

// made is a screen of package example with tissue made up for the tests.
type made struct {
	name       string
	sideways   bool // views side by side instead of stacked
	plainFirst bool // the plain view is the upper or left one
	opacity    float64
	limitKPa   float64
	colours    []example.Colour
	pxPerCM    float64
	barLeft    bool
	sector     bool // the view is a fan, dark in the corners
	speed      bool // the bar is printed in m/s and linear in speed
	noOutline  bool
	plane      *simulated // drawn instead of made-up tissue
}

// truth is what a perfect importer would return, on the plain view's grid.
type truth struct {
	w, h      int
	kPa       []float64
	shown     []bool // coloured and not under the outline
	saturated []bool
	grey      []float64
	box       image.Rectangle // in the view
	overlay   image.Point     // corner of the overlay view
	plain     image.Point     // corner of the plain view
	bar       image.Rectangle
}

func stream(name string) *rand.Rand {
	sum := sha256.Sum256([]byte(name))
	return rand.New(rand.NewPCG(binary.LittleEndian.Uint64(sum[:]), binary.LittleEndian.Uint64(sum[8:])))
}

const (
	viewW, viewH = 300, 230
	boxW, boxH   = 150, 110
)

// anatomy draws grey levels and stiffness for one view.
func (m made) anatomy() truth {
	if m.plane != nil {
		return m.plane.truth(m.limitKPa)
	}
	rng := stream("anatomy " + m.name)
	t := truth{w: viewW, h: viewH, box: image.Rect(80, 50, 80+boxW, 50+boxH)}
	n := t.w * t.h
	t.kPa, t.grey = make([]float64, n), make([]float64, n)
	t.shown, t.saturated = make([]bool, n), make([]bool, n)

	// speckle: two smoothed Gaussian fields make a Rayleigh envelope
	re, im := smoothNoise(rng, t.w, t.h, 1, 2), smoothNoise(rng, t.w, t.h, 1, 2)
	layers := smoothNoise(rng, t.w, t.h, 5, 40)
	stiff := smoothNoise(rng, t.w, t.h, 14, 14)
	for y := range t.h {
		for x := range t.w {
			i := y*t.w + x
			db := 20 * math.Log10(math.Hypot(re[i], im[i])+1e-3)
			t.grey[i] = min(max(95+4*db+26*layers[i]-0.12*float64(y), 0), 240)
			if m.sector && !inFan(x, y) {
				t.grey[i] = 0
			}
			// the whole scale is visited: smooth ground, a stiff focus beyond the
			// limit, a soft one
			cx, cy := float64(x-t.box.Min.X)/boxW, float64(y-t.box.Min.Y)/boxH
			e := 0.42 + 0.14*stiff[i] + 0.95*bump(cx-0.7, cy-0.35, 0.16) - 0.35*bump(cx-0.25, cy-0.7, 0.15)
			t.kPa[i] = m.limitKPa * max(e, 0.02)
			t.saturated[i] = t.kPa[i] >= m.limitKPa
			inside := image.Pt(x, y).In(t.box.Inset(1)) || m.noOutline && image.Pt(x, y).In(t.box)
			hole := math.Hypot((cx-0.15)*1.4, cy-0.15) < 0.1 || cy > 0.93+0.1*stiff[i]
			t.shown[i] = inside && !hole
			t.saturated[i] = t.saturated[i] && t.shown[i]
		}
	}
	return t
}

func bump(x, y, r float64) float64 { return math.Exp(-(x*x + y*y) / (2 * r * r)) }

func inFan(x, y int) bool {
	dx, dy := float64(x)-viewW/2, float64(y)+60
	r := math.Hypot(dx, dy)
	return r > 64 && r < viewH+58 && math.Abs(math.Atan2(dx, dy)) < 0.62
}

// smoothNoise is a zero-mean, unit-variance Gaussian field blurred by boxes of
// the given half heights and widths.
func smoothNoise(rng *rand.Rand, w, h, ry, rx int) []float64 {
	f := make([]float64, w*h)
	for i := range f {
		f[i] = rng.NormFloat64()
	}
	for range 2 {
		f = boxBlur(f, w, h, rx, ry)
	}
	var s, ss float64
	for _, v := range f {
		s, ss = s+v, ss+v*v
	}
	mean := s / float64(len(f))
	sd := math.Sqrt(ss/float64(len(f)) - mean*mean)
	for i := range f {
		f[i] = (f[i] - mean) / sd
	}
	return f
}

func boxBlur(f []float64, w, h, rx, ry int) []float64 {
	pass := func(f []float64, n, lines, step, jump, r int) []float64 {
		out := make([]float64, len(f))
		for l := range lines {
			sum, count := 0.0, 0
			for i := -r; i < n+r; i++ {
				if i+r < n && i+r >= 0 {
					sum, count = sum+f[l*jump+(i+r)*step], count+1
				}
				if i-r-1 >= 0 && i-r-1 < n {
					sum, count = sum-f[l*jump+(i-r-1)*step], count-1
				}
				if i >= 0 && i < n {
					out[l*jump+i*step] = sum / float64(count)
				}
			}
		}
		return out
	}
	return pass(pass(f, w, h, 1, w, rx), h, w, w, 1, ry)
}

// draw paints the screen.
func (m made) draw(t testing.TB) (*image.RGBA, truth) {
	t.Helper()
	tr := m.anatomy()
	s, err := example.Device{Sideways: m.sideways, PlainFirst: m.plainFirst, Opacity: m.opacity, ScaleMaxKPa: m.limitKPa,
		Map: m.colours, BarLeft: m.barLeft, Speed: m.speed, NoOutline: m.noOutline}.Draw(
		example.Tissue{Height: tr.h, Width: tr.w, MMPerPx: 10 / m.pxPerCM, Grey: tr.grey, KPa: tr.kPa, Shown: tr.shown, Box: tr.box})
	if err != nil {
		t.Fatal(err)
	}
	tr.overlay, tr.plain, tr.bar = s.Overlay, s.Plain, s.Bar
	return s.Image, tr
}
