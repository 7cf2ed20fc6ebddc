package plots

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"html"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"math"
	"regexp"
	"strings"
	"time"

	"codeberg.org/go-pdf/fpdf"
	stdfont "golang.org/x/image/font"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgpdf"
	"gonum.org/v1/plot/vg/vgsvg"
)

// The PDF writer stamps the time and walks maps unless told otherwise, and the drawing library hides it: only its defaults can be reached.
func init() {
	fpdf.SetDefaultCatalogSort(true)
	fpdf.SetDefaultCreationDate(time.Unix(0, 0).UTC())
	fpdf.SetDefaultModificationDate(time.Unix(0, 0).UTC())
}

// rasterCanvas draws to pixels. It copies images pixel by pixel onto the device's grid, since the library's own scaling blurs neighbouring data pixels
// into values that nobody measured.
type rasterCanvas struct {
	*vgimg.Canvas
	dpi int
}

func newRasterCanvas(size vg.Point, dpi int) rasterCanvas {
	return rasterCanvas{vgimg.NewWith(vgimg.UseWH(size.X, size.Y), vgimg.UseDPI(dpi)), dpi}
}

// DrawImage scales img onto the device pixels that rect covers; it ignores rotation, which no figure uses for images.
func (c rasterCanvas) DrawImage(rect vg.Rectangle, img image.Image) {
	target := c.Canvas.Image()
	bottom := float64(target.Bounds().Dy())
	pixel := func(l vg.Length) int { return int(math.Round(l.Dots(float64(c.dpi)))) }
	x0, x1 := pixel(rect.Min.X), pixel(rect.Max.X)
	y0, y1 := int(bottom)-pixel(rect.Max.Y), int(bottom)-pixel(rect.Min.Y)
	if x1 <= x0 || y1 <= y0 {
		return
	}
	draw.Draw(target, image.Rect(x0, y0, x1, y1), resample(img, x1-x0, y1-y0), image.Point{}, draw.Over)
}

// FillString fills the outlines of text: the library's own way blurs what is turned.
func (c rasterCanvas) FillString(face font.Face, pt vg.Point, text string) {
	if path := textOutline(face, pt, text); len(path) > 0 {
		c.Fill(path)
	}
}

func (c rasterCanvas) encode() ([]byte, error) {
	var buf bytes.Buffer
	if err := png.Encode(&buf, c.Canvas.Image()); err != nil {
		return nil, err
	}
	return withResolution(buf.Bytes(), c.dpi), nil
}

// withResolution adds the pHYs chunk after the header of a PNG, so that programs place the figure at its size on paper.
func withResolution(data []byte, dpi int) []byte {
	const headerEnd = 8 + 25 // signature and IHDR
	chunk := make([]byte, 21)
	binary.BigEndian.PutUint32(chunk, 9)
	copy(chunk[4:], "pHYs")
	perMetre := uint32(math.Round(float64(dpi) / 0.0254))
	binary.BigEndian.PutUint32(chunk[8:], perMetre)
	binary.BigEndian.PutUint32(chunk[12:], perMetre)
	chunk[16] = 1 // the unit is the metre
	binary.BigEndian.PutUint32(chunk[17:], crc32.ChecksumIEEE(chunk[4:17]))
	return append(append(append([]byte{}, data[:headerEnd]...), chunk...), data[headerEnd:]...)
}

// resample brings img to width × height: nearest neighbour where it grows, the mean of the covered pixels where it shrinks (or fine speckle would alias).
func resample(img image.Image, width, height int) *image.NRGBA {
	b := img.Bounds()
	source := image.NewNRGBA(image.Rect(0, 0, b.Dx(), b.Dy()))
	draw.Draw(source, source.Rect, img, b.Min, draw.Src)
	out := image.NewNRGBA(image.Rect(0, 0, width, height))
	span := func(i, n, source int) (int, int) {
		lo := i * source / n
		return lo, max(lo+1, (i+1)*source/n)
	}
	for y := range height {
		top, bottom := span(y, height, b.Dy())
		for x := range width {
			left, right := span(x, width, b.Dx())
			if bottom-top == 1 && right-left == 1 {
				out.SetNRGBA(x, y, source.NRGBAAt(left, top))
				continue
			}
			var r, g, bl, a, n uint32
			for sy := top; sy < bottom; sy++ {
				for sx := left; sx < right; sx++ {
					c := source.NRGBAAt(sx, sy)
					r, g, bl, a, n = r+uint32(c.R), g+uint32(c.G), bl+uint32(c.B), a+uint32(c.A), n+1
				}
			}
			out.SetNRGBA(x, y, color.NRGBA{uint8(r / n), uint8(g / n), uint8(bl / n), uint8(a / n)})
		}
	}
	return out
}

// enlarged is a size for b at which a viewer that smooths images does so within a data pixel, not across them.
func enlarged(b image.Rectangle) (width, height int) {
	const enough = 600 // pixels of the longer side
	k := max(1, enough/max(b.Dx(), b.Dy()))
	return k * b.Dx(), k * b.Dy()
}

// svgCanvas draws to an SVG document.
type svgCanvas struct{ *vgsvg.Canvas }

func newSVGCanvas(size vg.Point) svgCanvas { return svgCanvas{vgsvg.New(size.X, size.Y)} }

// DrawImage embeds img.
func (c svgCanvas) DrawImage(rect vg.Rectangle, img image.Image) {
	width, height := enlarged(img.Bounds())
	c.Canvas.DrawImage(rect, resample(img, width, height))
}

var svgRoot = regexp.MustCompile(`(?s)<svg (.*?)>`)

// encode mends what the library leaves open: the media type of images, their smoothing, fonts to fall back on (Arial has the metrics of
// Liberation Sans), and words for those who cannot see.
func (c svgCanvas) encode(title, description string) ([]byte, error) {
	var buf bytes.Buffer
	if _, err := c.WriteTo(&buf); err != nil {
		return nil, err
	}
	s := strings.NewReplacer(
		"data:image/jpg;base64,", "data:image/png;base64,",
		"<image ", `<image preserveAspectRatio="none" style="image-rendering:pixelated" `,
		"font-family:Liberation Sans;", "font-family:'Liberation Sans',Arial,Helvetica,sans-serif;",
	).Replace(buf.String())
	root := svgRoot.FindStringSubmatchIndex(s)
	if root == nil {
		return nil, fmt.Errorf("the drawing library wrote no <svg> element")
	}
	words := fmt.Sprintf("\n<title>%s</title>\n<desc>%s</desc>", html.EscapeString(title), html.EscapeString(description))
	return []byte(s[:root[1]-1] + ` role="img">` + words + s[root[1]:]), nil
}

// pdfCanvas draws to a PDF page.
type pdfCanvas struct {
	*vgpdf.Canvas
	widths map[int]bool // of the images on the page, in pixels
}

func newPDFCanvas(size vg.Point) pdfCanvas {
	return pdfCanvas{vgpdf.New(size.X, size.Y), map[int]bool{}}
}

// DrawImage embeds img, upside down, since the library draws images so on its page whose y axis it has turned over. Each image gets a width of its own:
// the PDF writer orders images by width, and those of equal width by chance.
func (c pdfCanvas) DrawImage(rect vg.Rectangle, img image.Image) {
	width, height := enlarged(img.Bounds())
	for c.widths[width] {
		width++
	}
	c.widths[width] = true
	picture := resample(img, width, height)
	last := picture.Rect.Dy() - 1
	for y := range picture.Rect.Dy() / 2 {
		for x := range picture.Rect.Dx() {
			above, below := picture.NRGBAAt(x, y), picture.NRGBAAt(x, last-y)
			picture.SetNRGBA(x, y, below)
			picture.SetNRGBA(x, last-y, above)
		}
	}
	c.Canvas.DrawImage(rect, picture)
}

// FillString writes text as text where it can, which is in the regular face and in the code page that the library embeds fonts with. It mixes up the
// files of two faces in one document, so that headings in bold, like signs beyond the code page, are drawn as their outlines.
func (c pdfCanvas) FillString(face font.Face, pt vg.Point, text string) {
	if encoded, ok := windows1252(text); ok && face.Font.Weight == stdfont.WeightNormal {
		c.Canvas.FillString(face, pt, encoded)
		return
	}
	if path := textOutline(face, pt, text); len(path) > 0 {
		c.Fill(path)
	}
}

func (c pdfCanvas) encode() ([]byte, error) {
	var buf bytes.Buffer
	if _, err := c.WriteTo(&buf); err != nil {
		return nil, err
	}
	return buf.Bytes(), nil
}

// windows1252 encodes text in Windows-1252, if it can be.
func windows1252(text string) (encoded string, ok bool) {
	high := map[rune]byte{'–': 0x96, '—': 0x97, '…': 0x85, '•': 0x95, '‘': 0x91, '’': 0x92, '“': 0x93, '”': 0x94}
	var out strings.Builder
	for _, r := range text {
		switch b, found := high[r]; {
		case r < 0x80 || (r >= 0xA0 && r <= 0xFF):
			out.WriteByte(byte(r))
		case found:
			out.WriteByte(b)
		default:
			return "", false
		}
	}
	return out.String(), true
}

// textOutline is the outline of text whose base line starts at pt.
func textOutline(face font.Face, pt vg.Point, text string) vg.Path {
	var (
		buf  sfnt.Buffer
		path vg.Path
		ppem = fixed.I(1024) // fine enough that rounding never shows
		unit = face.Font.Size / 1024 / 64
	)
	for _, r := range text {
		glyph, err := face.Face.GlyphIndex(&buf, r)
		if err != nil {
			continue
		}
		segments, err := face.Face.LoadGlyph(&buf, glyph, ppem, nil)
		if err != nil {
			continue
		}
		at := func(p fixed.Point26_6) vg.Point {
			return vg.Point{X: pt.X + vg.Length(p.X)*unit, Y: pt.Y - vg.Length(p.Y)*unit}
		}
		for i, s := range segments {
			switch s.Op {
			case sfnt.SegmentOpMoveTo:
				if i > 0 {
					path.Close()
				}
				path.Move(at(s.Args[0]))
			case sfnt.SegmentOpLineTo:
				path.Line(at(s.Args[0]))
			case sfnt.SegmentOpQuadTo:
				path.QuadTo(at(s.Args[0]), at(s.Args[1]))
			case sfnt.SegmentOpCubeTo:
				path.CubeTo(at(s.Args[0]), at(s.Args[1]), at(s.Args[2]))
			}
		}
		if len(segments) > 0 {
			path.Close()
		}
		advance, err := face.Face.GlyphAdvance(&buf, glyph, ppem, stdfont.HintingNone)
		if err == nil {
			pt.X += vg.Length(advance) * unit
		}
	}
	return path
}
