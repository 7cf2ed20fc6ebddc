package plots

import (
	"image/color"
	"math"

	stdfont "golang.org/x/image/font"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Type sizes in points at the final size on paper.
const (
	tickSize  = 7
	labelSize = 7.5
	titleSize = 8
	stampSize = 7
	hairline  = 0.5 // width of axis lines and ticks
)

const (
	stampHeightMM = 5.0
	keyRowMM      = 3.4 // from row to row of a key
)

var (
	ink         = color.NRGBA{0x1A, 0x1A, 0x1A, 0xFF}
	softInk     = color.NRGBA{0x5A, 0x5A, 0x5A, 0xFF}
	gridInk     = color.NRGBA{0xE2, 0xE2, 0xE2, 0xFF}
	stampInk    = color.NRGBA{0xA0, 0x1C, 0x1C, 0xFF}
	white       = color.NRGBA{0xFF, 0xFF, 0xFF, 0xFF}
	missingGrey = color.NRGBA{0xC4, 0xC4, 0xC4, 0xFF} // pixels without a value
)

// Colours of lines and points, after Okabe and Ito: told apart by the colour-blind, and of different lightness in grey.
var (
	blue       = color.NRGBA{0x00, 0x72, 0xB2, 0xFF}
	vermillion = color.NRGBA{0xD5, 0x5E, 0x00, 0xFF}
	green      = color.NRGBA{0x00, 0x9E, 0x73, 0xFF}
	orange     = color.NRGBA{0xE6, 0x9F, 0x00, 0xFF}
	sky        = color.NRGBA{0x56, 0xB4, 0xE9, 0xFF}
	purple     = color.NRGBA{0xCC, 0x79, 0xA7, 0xFF}
	series     = []color.NRGBA{blue, vermillion, green, purple, orange, sky}
	dashing    = [][]vg.Length{nil, {4, 2}, {1.2, 1.6}, {6, 1.5, 1.2, 1.5}}
	glyphs     = []draw.GlyphDrawer{draw.CircleGlyph{}, draw.BoxGlyph{}, draw.PyramidGlyph{}, draw.RingGlyph{}, draw.SquareGlyph{}, draw.TriangleGlyph{}}
)

func mm(x float64) vg.Length { return vg.Length(x) * vg.Millimeter }

func finite(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }

// page is a drawing area addressed in mm from its top left corner.
type page struct {
	draw.Canvas
	topMM float64
}

func (p page) point(xMM, yMM float64) vg.Point {
	return vg.Point{X: p.Min.X + mm(xMM), Y: p.Max.Y - mm(p.topMM+yMM)}
}

// rect is the rectangle whose top left corner is (x, y).
func (p page) rect(xMM, yMM, widthMM, heightMM float64) vg.Rectangle {
	a, b := p.point(xMM, yMM+heightMM), p.point(xMM+widthMM, yMM)
	return vg.Rectangle{Min: a, Max: b}
}

// anchor says which point of a text its position names: x from 0 (left) to 1 (right), y from 0 (base line) to 1 (top of the capitals).
type anchor struct{ x, y float64 }

var (
	baseLeft    = anchor{0, 0}
	baseCentre  = anchor{0.5, 0}
	baseRight   = anchor{1, 0}
	middleLeft  = anchor{0, 0.5}
	middle      = anchor{0.5, 0.5}
	middleRight = anchor{1, 0.5}
	topCentre   = anchor{0.5, 1}
)

// pen is how a text is written.
type pen struct {
	size  float64
	bold  bool
	color color.Color
}

var (
	tickPen  = pen{tickSize, false, ink}
	labelPen = pen{labelSize, false, ink}
	titlePen = pen{titleSize, true, ink}
	notePen  = pen{tickSize, false, softInk}
)

func (t pen) font() font.Font {
	f := font.Font{Typeface: "Liberation", Variant: "Sans", Size: vg.Points(t.size)}
	if t.bold {
		f.Weight = stdfont.WeightBold
	}
	return f
}

func (t pen) face() font.Face { return font.DefaultCache.Lookup(t.font(), vg.Points(t.size)) }

// widthMM is the width of s in mm.
func (t pen) widthMM(s string) float64 {
	face := t.face()
	return float64(face.Width(s) / vg.Millimeter)
}

const capHeight = 0.72 // of Liberation Sans, as a share of the type size

func (t pen) write(c vg.Canvas, at vg.Point, a anchor, s string) {
	face := t.face()
	c.SetColor(t.color)
	at.X -= vg.Length(a.x) * face.Width(s)
	at.Y -= vg.Length(a.y*capHeight) * face.Font.Size
	c.FillString(face, at, s)
}

// within makes s fit a width: in smaller type, down to 5 points, and then cut short with an ellipsis.
func (t pen) within(widthMM float64, s string) (pen, string) {
	if w := t.widthMM(s); w > widthMM {
		t.size = math.Max(5, t.size*widthMM/w)
	}
	if t.widthMM(s) <= widthMM+1e-6 {
		return t, s
	}
	letters := []rune(s)
	for len(letters) > 0 && t.widthMM(string(letters)+"…") > widthMM {
		letters = letters[:len(letters)-1]
	}
	return t, string(letters) + "…"
}

func (t pen) writeWithin(c vg.Canvas, at vg.Point, a anchor, s string, widthMM float64) {
	t, s = t.within(widthMM, s)
	t.write(c, at, a, s)
}

func (p page) write(t pen, xMM, yMM float64, a anchor, s string) {
	t.write(p, p.point(xMM, yMM), a, s)
}

func (p page) writeWithin(t pen, xMM, yMM float64, a anchor, s string, widthMM float64) {
	t.writeWithin(p, p.point(xMM, yMM), a, s, widthMM)
}

// writeUp writes s upwards, its middle at (x, y), as beside a vertical axis.
func (p page) writeUp(t pen, xMM, yMM float64, s string) {
	p.writeUpAt(t, p.point(xMM, yMM), s)
}

func (p page) writeUpAt(t pen, at vg.Point, s string) {
	p.Push()
	p.Translate(at)
	p.Rotate(math.Pi / 2)
	t.write(p, vg.Point{}, middle, s)
	p.Pop()
}

// stamp writes a framed warning into the top right corner.
func (p page) stamp(s string) {
	t := pen{stampSize, true, stampInk}
	width := t.widthMM(s) + 3
	right := float64((p.Max.X - p.Min.X) / vg.Millimeter)
	box := p.rect(right-width-0.5, 0.5, width, 3.8)
	p.SetLineStyle(draw.LineStyle{Color: stampInk, Width: 0.6})
	p.Stroke(box.Path())
	t.write(p, vg.Point{X: (box.Min.X + box.Max.X) / 2, Y: (box.Min.Y + box.Max.Y) / 2}, middle, s)
}

func (p page) line(sty draw.LineStyle, x0MM, y0MM, x1MM, y1MM float64) {
	p.StrokeLines(sty, []vg.Point{p.point(x0MM, y0MM), p.point(x1MM, y1MM)})
}

func solid(c color.Color, widthPt float64) draw.LineStyle {
	return draw.LineStyle{Color: c, Width: vg.Points(widthPt)}
}

func dashed(c color.Color, widthPt float64, dashes ...vg.Length) draw.LineStyle {
	return draw.LineStyle{Color: c, Width: vg.Points(widthPt), Dashes: dashes}
}
