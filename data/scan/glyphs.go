package scan

import (
	"image"
	"math"
	"sync"

	"golang.org/x/image/font"
	"golang.org/x/image/font/basicfont"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/gomedium"
	"golang.org/x/image/font/gofont/gomono"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/inconsolata"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"
)

// A glyph is compared on a grid of gridW x gridH brightness values, stretched
// to its own bounding box; its shape before stretching is its aspect.
const (
	gridW = 10
	gridH = 14
)

// shape is a glyph made comparable: zero mean, unit length.
type shape struct {
	grid   [gridW * gridH]float64
	aspect float64 // width over height
}

// What a number on a scanner's screen is made of. The signs stand in front of
// an open-ended limit (>=150 kPa) and carry no value.
const (
	digits = "0123456789"
	signs  = "≥>"
)

type template struct {
	char rune
	shape
}

// templates are the characters a colour bar or a depth ruler is labelled with,
// drawn once from the fonts that come with golang.org/x/image. They never
// change after that.
var templates = sync.OnceValue(func() []template {
	var out []template
	for _, face := range faces() {
		for _, char := range digits + signs + "kPamsc" {
			// the bitmap fonts lack the sign and would draw a placeholder
			if _, outlined := face.(*opentype.Face); char == '≥' && !outlined {
				continue
			}
			if sh, ok := drawShape(face, char); ok {
				out = append(out, template{char, sh})
			}
		}
	}
	return append(out, template{'1', bareOne()})
})

func faces() []font.Face {
	out := []font.Face{inconsolata.Regular8x16, basicfont.Face7x13}
	for _, ttf := range [][]byte{goregular.TTF, gomedium.TTF, gobold.TTF, gomono.TTF} {
		f, err := opentype.Parse(ttf)
		if err != nil {
			continue // compiled in; a face less is a lower confidence, nothing worse
		}
		face, err := opentype.NewFace(f, &opentype.FaceOptions{Size: 40, DPI: 72})
		if err == nil {
			out = append(out, face)
		}
	}
	return out
}

// drawShape renders one character and makes it comparable.
func drawShape(face font.Face, char rune) (shape, bool) {
	const size = 64
	img := image.NewGray(image.Rect(0, 0, size, size))
	d := font.Drawer{Dst: img, Src: image.White, Face: face, Dot: fixed.P(8, 48)}
	d.DrawString(string(char))
	r := inkBox(img)
	if r.Empty() {
		return shape{}, false
	}
	return makeShape(func(x, y int) float64 {
		if !image.Pt(x, y).In(img.Rect) {
			return 0
		}
		return float64(img.GrayAt(x, y).Y)
	}, r), true
}

// bareOne is the 1 of Helvetica's family, a stem with a flag and no foot, which
// none of the fonts at hand has and most scanners use.
func bareOne() shape {
	const w, h = 20, 40
	ink := func(x, y int) float64 {
		stem := x >= 14 && x < w
		flag := math.Abs(float64(y)-(13-0.55*float64(x-2))) < 3 && x < 14
		if y >= 0 && y < h && x >= 0 && (stem || flag) {
			return 255
		}
		return 0
	}
	return makeShape(ink, image.Rect(0, 0, w, h))
}

func inkBox(img *image.Gray) image.Rectangle {
	r := image.Rectangle{}
	for y := range img.Rect.Dy() {
		for x := range img.Rect.Dx() {
			if img.GrayAt(x, y).Y > 100 {
				r = r.Union(image.Rect(x, y, x+1, y+1))
			}
		}
	}
	return r
}

// makeShape stretches what lies in r to the grid by area, blurs it a little, as
// a small glyph on a screen is, and normalises it.
func makeShape(at func(x, y int) float64, r image.Rectangle) shape {
	sh := shape{aspect: float64(r.Dx()) / float64(r.Dy())}
	const sub = 4 // samples per grid cell and axis
	var raw [gridW * gridH]float64
	for gy := range gridH {
		for gx := range gridW {
			for sy := range sub {
				for sx := range sub {
					fx := float64(r.Min.X) + (float64(gx)+(float64(sx)+0.5)/sub)/gridW*float64(r.Dx()) - 0.5
					fy := float64(r.Min.Y) + (float64(gy)+(float64(sy)+0.5)/sub)/gridH*float64(r.Dy()) - 0.5
					x0, y0 := int(math.Floor(fx)), int(math.Floor(fy))
					tx, ty := fx-float64(x0), fy-float64(y0)
					raw[gy*gridW+gx] += (at(x0, y0)*(1-tx)+at(x0+1, y0)*tx)*(1-ty) +
						(at(x0, y0+1)*(1-tx)+at(x0+1, y0+1)*tx)*ty
				}
			}
		}
	}
	var mean float64
	for gy := range gridH {
		for gx := range gridW {
			var sum, n float64
			for yy := max(0, gy-1); yy <= min(gridH-1, gy+1); yy++ {
				for xx := max(0, gx-1); xx <= min(gridW-1, gx+1); xx++ {
					w := 1.0
					if yy == gy {
						w *= 2
					}
					if xx == gx {
						w *= 2
					}
					sum, n = sum+w*raw[yy*gridW+xx], n+w
				}
			}
			sh.grid[gy*gridW+gx] = sum / n
			mean += sum / n / (gridW * gridH)
		}
	}
	var length float64
	for i := range sh.grid {
		sh.grid[i] -= mean
		length += sh.grid[i] * sh.grid[i]
	}
	if length > 0 {
		for i := range sh.grid {
			sh.grid[i] /= math.Sqrt(length)
		}
	}
	return sh
}

// likeness is 1 for the same shape, less for other strokes or another aspect.
func (a shape) likeness(b shape) float64 {
	var dot float64
	for i := range a.grid {
		dot += a.grid[i] * b.grid[i]
	}
	return dot - 0.3*math.Abs(math.Log(a.aspect/b.aspect))
}

// classify names a glyph among the allowed characters; the confidence falls
// with a poor match and with a close rival.
func classify(sh shape, allowed string) (char rune, conf float64) {
	best := map[rune]float64{}
	for _, t := range templates() {
		for _, a := range allowed {
			if a != t.char {
				continue
			}
			if v := sh.likeness(t.shape); v > best[a] {
				best[a] = v
			}
		}
	}
	var top, second float64
	for c, v := range best {
		if v > top || v == top && c < char {
			char, top, second = c, v, top
		} else if v > second {
			second = v
		}
	}
	return char, clamp01((top-0.5)/0.3) * clamp01((top-second)/0.08+0.2)
}
