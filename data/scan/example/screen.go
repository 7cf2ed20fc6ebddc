package example

import (
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"math"

	"golang.org/x/image/font"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"
	"gonum.org/v1/plot/font/liberation"
)

// Device is how a screen is laid out. It is drawn the way scanners draw: tinted
// greys, an overlay blended over one of two views, an orange outline in both.
type Device struct {
	Sideways    bool    // views side by side instead of stacked
	PlainFirst  bool    // the plain view is the upper or left one
	Opacity     float64 // of the overlay, 0 to 1
	ScaleMaxKPa float64 // display limit, top of the colour bar
	Map         []Colour
	BarLeft     bool   // the bar stands left of the views instead of right
	Speed       bool   // the bar is printed in m/s and linear in speed
	NoOutline   bool   // the box has none
	Text        string // burned in at the top beside the words that it is simulated, such as a name
}

// Screen is a drawn screen and where things are on it.
type Screen struct {
	Image   *image.RGBA
	Overlay image.Point     // corner of the view with the overlay
	Plain   image.Point     // corner of the plain view
	Bar     image.Rectangle // colour bar
}

// painter puts colours and print on a screen.
type painter struct {
	*image.RGBA
	faces map[float64]font.Face // by size
}

func (p *painter) set(x, y int, c Colour) {
	p.SetRGBA(x, y, color.RGBA{level(c[0]), level(c[1]), level(c[2]), 255})
}

func (p *painter) ink(x, y int, text string, size float64) {
	d := font.Drawer{Dst: p, Src: image.NewUniform(color.Gray{205}), Face: p.faces[size], Dot: fixed.P(x, y)}
	d.DrawString(text)
}

// Sizes of print in px.
const small, medium, large = 12, 13, 15

// newPainter begins a black picture. Its typeface is a metric cousin of
// Helvetica.
func newPainter(w, h int) (*painter, error) {
	p := &painter{RGBA: image.NewRGBA(image.Rect(0, 0, w, h)), faces: map[float64]font.Face{}}
	draw.Draw(p, p.Rect, image.Black, image.Point{}, draw.Src)
	for _, f := range liberation.Collection() {
		if f.Font.Variant != "Sans" || f.Font.Weight != font.WeightNormal || f.Font.Style != font.StyleNormal {
			continue
		}
		for _, size := range []float64{small, medium, large} {
			face, err := opentype.NewFace(f.Face, &opentype.FaceOptions{Size: size, DPI: 72, Hinting: font.HintingNone})
			if err != nil {
				return nil, fmt.Errorf("typeface of the example screens: %w", err)
			}
			p.faces[size] = face
		}
		return p, nil
	}
	return nil, fmt.Errorf("typeface of the example screens: gonum's fonts have no plain sans")
}

// Draw paints the plane as the device shows it.
func (d Device) Draw(t Tissue) (*Screen, error) {
	if n := t.Height * t.Width; n == 0 || len(t.Grey) != n || len(t.KPa) != n || len(t.Shown) != n || !(t.MMPerPx > 0) {
		return nil, fmt.Errorf("example screen: a plane of %d x %d px of %g mm has %d grey levels and %d stiffness values", t.Width, t.Height, t.MMPerPx, len(t.Grey), len(t.KPa))
	}
	if !(d.ScaleMaxKPa > 0) || len(d.Map) < 2 || !(d.Opacity >= 0 && d.Opacity <= 1) {
		return nil, fmt.Errorf("example screen: a scale to %g kPa, %d colours and an opacity of %g", d.ScaleMaxKPa, len(d.Map), d.Opacity)
	}
	const gap = 14 // between stacked views, px
	w, h := 320+t.Width, 2*t.Height+gap+90
	s := &Screen{Overlay: image.Pt(150, 60), Plain: image.Pt(150, 60+t.Height+gap)}
	if d.Sideways {
		w, h = 2*t.Width+3*90+80, t.Height+140
		s.Overlay, s.Plain = image.Pt(110, 70), image.Pt(110+t.Width+70, 70)
	}
	if d.PlainFirst {
		s.Overlay, s.Plain = s.Plain, s.Overlay
	}
	p, err := newPainter(w, h)
	if err != nil {
		return nil, err
	}
	s.Image = p.RGBA
	p.ink(20, 22, "SIMULATED SCREEN", large)
	p.ink(200, 22, d.Text, large)
	p.ink(10, 80, "SWE", small)
	p.ink(10, 96, fmt.Sprintf("O %.0f %%", 100*d.Opacity), small)
	d.views(p, t, s)
	rulers(p, t, s)
	s.Bar = d.bar(p)
	return s, nil
}

// views paints both views and the box's outline in them.
func (d Device) views(p *painter, t Tissue, s *Screen) {
	for y := range t.Height {
		for x := range t.Width {
			i := y*t.Width + x
			c := tint(t.Grey[i])
			p.set(s.Plain.X+x, s.Plain.Y+y, c)
			if t.Shown[i] {
				share := t.KPa[i] / d.ScaleMaxKPa
				if d.Speed {
					share = math.Sqrt(share) // E = 3 rho c^2
				}
				c = mix(c, At(d.Map, share), d.Opacity)
			}
			p.set(s.Overlay.X+x, s.Overlay.Y+y, c)
		}
	}
	if d.NoOutline {
		return
	}
	orange := image.NewUniform(color.RGBA{230, 150, 30, 255})
	for _, at := range []image.Point{s.Overlay, s.Plain} {
		b := t.Box.Add(at)
		for _, side := range []image.Rectangle{
			image.Rect(b.Min.X, b.Min.Y, b.Max.X, b.Min.Y+1), image.Rect(b.Min.X, b.Max.Y-1, b.Max.X, b.Max.Y),
			image.Rect(b.Min.X, b.Min.Y, b.Min.X+1, b.Max.Y), image.Rect(b.Max.X-1, b.Min.Y, b.Max.X, b.Max.Y),
		} {
			draw.Draw(p, side, orange, image.Point{}, draw.Src)
		}
	}
}

// rulers has a tick every 5 mm of depth and a number, in cm, at every second.
func rulers(p *painter, t Tissue, s *Screen) {
	white := color.RGBA{200, 200, 200, 255}
	pxPerTick := 5 / t.MMPerPx
	for _, at := range []image.Point{s.Overlay, s.Plain} {
		for k := 0; float64(k)*pxPerTick < float64(t.Height); k++ {
			y := at.Y + int(math.Round(float64(k)*pxPerTick))
			long := 3
			if k%2 == 0 {
				long = 6
				p.ink(at.X+t.Width+10, y+4, fmt.Sprintf("%.1f", float64(k)/2), small)
			}
			for x := range long {
				p.SetRGBA(at.X+t.Width+1+x, y, white)
			}
		}
	}
}

// bar paints the colour bar, the grey bar beside it, and the numbers.
func (d Device) bar(p *painter) image.Rectangle {
	const width, height = 14, 180
	at := image.Pt(p.Rect.Max.X-62, 90)
	if d.BarLeft {
		at = image.Pt(30, 140)
	}
	limit, unit, step := d.ScaleMaxKPa, "kPa", d.ScaleMaxKPa/5
	if d.Speed {
		limit, unit = math.Sqrt(d.ScaleMaxKPa/3), "m/s"
		step = limit / 4
	}
	for y := range height {
		share := 1 - (float64(y)+0.5)/height
		for x := range width {
			p.set(at.X+x, at.Y+y, At(d.Map, share))
		}
		for x := range 7 {
			p.set(at.X-14+x, at.Y+y, tint(240*share))
		}
	}
	p.ink(at.X-22, at.Y-8, fmt.Sprintf("≥%g %s", limit, unit), medium)
	for v := step; v < limit*0.99; v += step {
		p.ink(at.X+width+4, at.Y+int((1-v/limit)*height)+3, fmt.Sprintf("%g", v), small)
	}
	return image.Rectangle{Min: at, Max: at.Add(image.Pt(width, height))}
}
