package scan

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"math"
	"math/rand/v2"
	"testing"

	"golang.org/x/image/font"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"
	"gonum.org/v1/plot/font/liberation"
)

// made is a scanner screen drawn by the tests, so that everything on it is
// known. It is drawn the way scanners draw: tinted speckle, an overlay blended
// over one of two views, an orange outline, a bar with printed numbers and a
// depth ruler. Its numbers are set in a typeface the glyph reader was not made
// from.
type made struct {
	name       string
	sideways   bool // views side by side instead of stacked
	plainFirst bool // the plain view is the upper or left one
	opacity    float64
	limitKPa   float64
	colours    []vec // knots of the map, equally spaced
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

// jet is MATLAB's map as Skerl's scripts use it: knots at 12.5, 37.5, 62.5 and
// 87.5 % of the scale.
func jet() []vec {
	return []vec{{0, 0, 128}, {0, 0, 255}, {0, 128, 255}, {0, 255, 255}, {128, 255, 128}, {255, 255, 0}, {255, 128, 0}, {255, 0, 0}, {128, 0, 0}}
}

// warmJet is like the map that swepy recorded from a scanner.
func warmJet() []vec {
	return []vec{{2, 0, 151}, {0, 30, 255}, {0, 150, 250}, {30, 240, 230}, {140, 250, 140}, {245, 245, 20}, {255, 150, 0}, {240, 40, 5}, {176, 14, 3}}
}

func colourAt(knots []vec, t float64) vec {
	p := clamp01(t) * float64(len(knots)-1)
	i := min(int(p), len(knots)-2)
	return mix(knots[i], knots[i+1], p-float64(i))
}

func stream(name string) *rand.Rand {
	sum := sha256.Sum256([]byte(name))
	return rand.New(rand.NewPCG(binary.LittleEndian.Uint64(sum[:]), binary.LittleEndian.Uint64(sum[8:])))
}

const (
	viewW, viewH = 300, 230
	boxW, boxH   = 150, 110
)

// tint is how the drawn scanner colours its greys, at the same brightness.
func tint(g float64) vec { return vec{g * 0.99, g * 0.995, min(255, g*1.06)} }

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

// face is the typeface of the drawn scanner, a metric cousin of Helvetica.
func face(t testing.TB, size float64) font.Face {
	t.Helper()
	for _, f := range liberation.Collection() {
		if f.Font.Variant == "Sans" && f.Font.Weight == font.WeightNormal && f.Font.Style == font.StyleNormal {
			out, err := opentype.NewFace(f.Face, &opentype.FaceOptions{Size: size, DPI: 72, Hinting: font.HintingNone})
			if err != nil {
				t.Fatal(err)
			}
			return out
		}
	}
	t.Fatal("no sans face in gonum's fonts")
	return nil
}

// draw paints the screen.
func (m made) draw(t testing.TB) (*image.RGBA, truth) {
	tr := m.anatomy()
	const gap = 14
	w, h := 320+tr.w, 2*tr.h+gap+90
	tr.overlay, tr.plain = image.Pt(150, 60), image.Pt(150, 60+tr.h+gap)
	if m.sideways {
		w, h = 2*tr.w+3*90+80, tr.h+140
		tr.overlay, tr.plain = image.Pt(110, 70), image.Pt(110+tr.w+70, 70)
	}
	if m.plainFirst {
		tr.overlay, tr.plain = tr.plain, tr.overlay
	}
	im := image.NewRGBA(image.Rect(0, 0, w, h))
	draw.Draw(im, im.Rect, image.Black, image.Point{}, draw.Src)
	set := func(x, y int, c vec) {
		q := func(v float64) uint8 { return uint8(min(max(math.Round(v), 0), 255)) }
		im.SetRGBA(x, y, color.RGBA{q(c[0]), q(c[1]), q(c[2]), 255})
	}
	ink := func(x, y int, text string, size float64) {
		d := font.Drawer{Dst: im, Src: image.NewUniform(color.Gray{205}), Face: face(t, size), Dot: fixed.P(x, y)}
		d.DrawString(text)
	}
	ink(20, 22, "SYNTHETIC TEST SCREEN", 15)
	ink(10, 80, "SWE", 12)
	ink(10, 96, "O 50 %", 12)

	for y := range tr.h {
		for x := range tr.w {
			i := y*tr.w + x
			g := tint(tr.grey[i])
			set(tr.plain.X+x, tr.plain.Y+y, g)
			if tr.shown[i] {
				share := tr.kPa[i] / m.limitKPa
				if m.speed {
					share = math.Sqrt(share)
				}
				g = mix(g, colourAt(m.colours, share), m.opacity)
			}
			set(tr.overlay.X+x, tr.overlay.Y+y, g)
		}
	}
	if !m.noOutline {
		for _, at := range []image.Point{tr.overlay, tr.plain} {
			frame(im, tr.box.Add(at), color.RGBA{230, 150, 30, 255})
		}
	}
	m.drawRuler(im, tr, ink)
	tr.bar = m.drawBar(im, set, ink)
	return im, tr
}

func (m made) drawRuler(im *image.RGBA, tr truth, ink func(x, y int, text string, size float64)) {
	white := color.RGBA{200, 200, 200, 255}
	for _, at := range []image.Point{tr.overlay, tr.plain} {
		for k := 0; float64(k)*m.pxPerCM/2 < float64(tr.h); k++ {
			y := at.Y + int(math.Round(float64(k)*m.pxPerCM/2))
			long := 3
			if k%2 == 0 {
				long = 6
				ink(at.X+tr.w+10, y+4, fmt.Sprintf("%.1f", float64(k)/2), 12)
			}
			for x := range long {
				im.SetRGBA(at.X+tr.w+1+x, y, white)
			}
		}
	}
}

func (m made) drawBar(im *image.RGBA, set func(int, int, vec), ink func(x, y int, text string, size float64)) image.Rectangle {
	const barW, barH = 14, 180
	at := image.Pt(im.Rect.Max.X-62, 90)
	if m.barLeft {
		at = image.Pt(30, 140)
	}
	limit, unit, step := m.limitKPa, "kPa", m.limitKPa/5
	if m.speed {
		limit, unit = math.Sqrt(m.limitKPa/3), "m/s"
		step = limit / 4
	}
	for y := range barH {
		share := 1 - (float64(y)+0.5)/barH
		for x := range barW {
			set(at.X+x, at.Y+y, colourAt(m.colours, share))
		}
		for x := range 7 {
			set(at.X-14+x, at.Y+y, tint(240*share))
		}
	}
	ink(at.X-22, at.Y-8, fmt.Sprintf("≥%g %s", limit, unit), 13)
	for v := step; v < limit*0.99; v += step {
		ink(at.X+barW+4, at.Y+int((1-v/limit)*barH)+3, fmt.Sprintf("%g", v), 12)
	}
	return image.Rectangle{Min: at, Max: at.Add(image.Pt(barW, barH))}
}
