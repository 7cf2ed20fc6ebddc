package plots

import (
	"image"
	"image/color"
	"math"
	"strings"
	"testing"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/recorder"
)

func grown(rows ...string) (height, width int, inside func(int) bool) {
	all := strings.Join(rows, "")
	return len(rows), len(rows[0]), func(i int) bool { return all[i] == '#' }
}

func TestOutlinesFollowTheBordersOfRegions(t *testing.T) {
	for _, c := range []struct {
		name         string
		rows         []string
		closed, open int
	}{
		{"nothing", []string{"...", "..."}, 0, 0},
		{"everything: the frame of the image is no border", []string{"###", "###"}, 0, 0},
		{"one pixel", []string{"...", ".#.", "..."}, 1, 0},
		{"two foci", []string{"#...", "....", "..#.", "...."}, 1, 1},
		{"foci that touch at a corner stay two", []string{"....", ".#..", "..#.", "...."}, 2, 0},
		{"foci that touch at the other corner stay two", []string{"....", "..#.", ".#..", "...."}, 2, 0},
		{"a hole has an outline of its own", []string{".....", ".###.", ".#.#.", ".###.", "....."}, 2, 0},
		{"a gland cut off by the frame stays open", []string{".##", ".##", "..."}, 0, 1},
		{"a band across the image", []string{"..", "##", ".."}, 0, 2},
	} {
		height, width, inside := grown(c.rows...)
		closed, open := 0, 0
		for _, o := range outlines(height, width, inside) {
			if o.closed {
				closed++
			} else {
				open++
			}
		}
		if closed != c.closed || open != c.open {
			t.Errorf("%s: %d closed and %d open outlines, want %d and %d", c.name, closed, open, c.closed, c.open)
		}
	}
}

func TestSmoothedOutlineStaysWithinAPixelOfADisk(t *testing.T) {
	const n, r = 41, 12.0
	found := outlines(n, n, func(i int) bool {
		return math.Hypot(float64(i%n)+0.5-n/2.0, float64(i/n)+0.5-n/2.0) < r
	})
	if len(found) != 1 || !found[0].closed {
		t.Fatalf("a disk has %d outlines", len(found))
	}
	for _, p := range found[0].points {
		if d := math.Hypot(p[0]-n/2.0, p[1]-n/2.0); math.Abs(d-r) > 0.75 {
			t.Errorf("outline at %.2f pixels from the middle of a disk of %v", d, r)
		}
	}
}

func TestAxesAreMarkedAtRoundNumbers(t *testing.T) {
	for _, c := range []struct {
		lo, hi float64
		about  int
		want   string
	}{
		{0, 70, 7, "0 10 20 30 40 50 60 70"},
		{0, 12.5, 5, "0.0 2.5 5.0 7.5 10.0 12.5"},
		{-0.2, 0.2, 4, "−0.2 −0.1 0.0 0.1 0.2"},
		{0, 1, 5, "0.0 0.2 0.4 0.6 0.8 1.0"},
		{3, 38, 4, "10 20 30"},
		{0, 0.0003, 3, "0.0000 0.0001 0.0002 0.0003"},
	} {
		var got []string
		for _, tick := range (steps{c.about}).Ticks(c.lo, c.hi) {
			got = append(got, tick.Label)
		}
		if s := strings.Join(got, " "); s != c.want {
			t.Errorf("%v to %v: %q, want %q", c.lo, c.hi, s, c.want)
		}
	}
	if ticks := (steps{4}).Ticks(math.NaN(), 3); len(ticks) != 0 {
		t.Errorf("an axis from NaN has marks %v", ticks)
	}
}

func TestNumbersReadAsInPrint(t *testing.T) {
	for got, want := range map[string]string{
		number(-0.04, 1):      "0.0",
		number(-3.26, 1):      "−3.3",
		signed(2, 1):          "+2.0",
		signed(0.01, 1):       "0.0",
		count(1234567):        "1,234,567",
		count(12):             "12",
		powerOfTen(4):         "10,000",
		powerOfTen(-5):        "1e−5",
		percentWords(0.00002): "< 0.1 %",
		percentWords(0.1234):  "12.3 %",
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestResamplingNeverInventsAValueWhenItEnlarges(t *testing.T) {
	src := image.NewNRGBA(image.Rect(0, 0, 3, 2))
	known := map[color.NRGBA]bool{}
	for i := range 6 {
		c := color.NRGBA{uint8(40 * i), uint8(255 - 30*i), uint8(i), 255}
		src.SetNRGBA(i%3, i/3, c)
		known[c] = true
	}
	out := resample(src, 17, 11)
	seen := map[color.NRGBA]bool{}
	for i := range 17 * 11 {
		c := out.NRGBAAt(i%17, i/17)
		if !known[c] {
			t.Fatalf("colour %v is between data pixels", c)
		}
		seen[c] = true
	}
	if len(seen) != 6 {
		t.Errorf("%d of 6 data pixels are shown", len(seen))
	}
}

func TestResamplingAveragesWhenItShrinks(t *testing.T) {
	checks := image.NewGray(image.Rect(0, 0, 64, 64))
	for i := range checks.Pix {
		if (i%64+i/64)%2 == 0 {
			checks.Pix[i] = 200
		}
	}
	for _, v := range resample(checks, 16, 16).Pix {
		if v != 100 && v != 255 { // grey, or the alpha
			t.Fatalf("a fine chequered field shrinks to level %d, not to its mean of 100", v)
		}
	}
}

// lightness is CIE L*, what is left of a colour in a grey print.
func lightness(c color.NRGBA) float64 {
	linear := func(v uint8) float64 {
		u := float64(v) / 255
		if u <= 0.04045 {
			return u / 12.92
		}
		return math.Pow((u+0.055)/1.055, 2.4)
	}
	y := 0.2126*linear(c.R) + 0.7152*linear(c.G) + 0.0722*linear(c.B)
	if y <= 0.008856 {
		return 903.3 * y
	}
	return 116*math.Cbrt(y) - 16
}

func TestMapsOfElasticityRiseInLightnessSoThatGreyPrintsRead(t *testing.T) {
	for _, name := range []string{"", "magma", "inferno", "cividis"} {
		m, err := colormapNamed(name)
		if err != nil {
			t.Fatal(err)
		}
		for k := 1; k <= 50; k++ {
			if a, b := lightness(m.at(float64(k-1), 0, 50)), lightness(m.at(float64(k), 0, 50)); b <= a {
				t.Errorf("%q: lightness falls from %.1f to %.1f at %d %%", m.name, a, b, 2*k)
			}
		}
	}
}

func TestErrorMapIsNeutralAtZeroAndEvenOnBothSides(t *testing.T) {
	m, err := colormapNamed("diverging")
	if err != nil {
		t.Fatal(err)
	}
	if zero := m.at(0, -20, 20); zero.R != zero.G || zero.G != zero.B || zero.R < 235 {
		t.Errorf("no error is drawn in %v", zero)
	}
	for _, kpa := range []float64{5, 10, 15, 20} {
		low, high := lightness(m.at(-kpa, -20, 20)), lightness(m.at(kpa, -20, 20))
		if math.Abs(low-high) > 12 {
			t.Errorf("±%v kPa: lightness %.0f against %.0f", kpa, low, high)
		}
	}
}

func TestJetFollowsTheScannersBar(t *testing.T) {
	m, err := colormapNamed("jet")
	if err != nil {
		t.Fatal(err)
	}
	for at, want := range map[float64]color.NRGBA{
		0: {2, 0, 151, 255}, 0.125: {0, 0, 255, 255}, 0.375: {0, 255, 255, 255}, 0.625: {255, 255, 0, 255}, 0.875: {255, 0, 0, 255}, 1: {176, 14, 3, 255},
	} {
		if got := m.at(at, 0, 1); got != want {
			t.Errorf("at %v: %v, want %v", at, got, want)
		}
	}
}

func TestMissingPixelsAreNeutralGreyInEveryMap(t *testing.T) {
	field := Map{1, 3, 1, []float32{float32(math.NaN()), float32(math.Inf(1)), 12}}
	for name := range colormaps {
		m, err := colormapNamed(name)
		if err != nil {
			t.Fatal(err)
		}
		img := field.picture(m, 0, 20)
		for x := range 2 {
			if img.At(x, 0) != color.Color(missingGrey) {
				t.Errorf("%s: pixel %d is %v", name, x, img.At(x, 0))
			}
		}
		if img.At(2, 0) == color.Color(missingGrey) {
			t.Errorf("%s: a value is drawn as missing", name)
		}
	}
}

// spy records where images are drawn.
type spy struct {
	recorder.Canvas
	images []vg.Rectangle
}

func (s *spy) DrawImage(rect vg.Rectangle, _ image.Image) { s.images = append(s.images, rect) }

func TestPanelsHaveEqualAspectInMM(t *testing.T) {
	flat := plane(3, 5, 90, false) // so shallow that no label fits beside it
	tall := plane(4, 90, 30, false)
	tall.BMode.MMPerPx, tall.SWE.MMPerPx, tall.SSWE.MMPerPx = 0.3, 0.3, 0.3
	f, err := Panels([]PanelRow{flat, tall}, Style{})
	if err != nil {
		t.Fatal(err)
	}
	s := &spy{}
	f.draw(page{Canvas: draw.NewCanvas(s, mm(f.widthMM), mm(f.heightMM))})
	perMM := vg.Length(0)
	for i, row := range []PanelRow{flat, tall} {
		if len(s.images) < 8 {
			t.Fatalf("%d images for two rows of four", len(s.images))
		}
		for _, r := range s.images[4*i : 4*i+4] {
			x := (r.Max.X - r.Min.X) / vg.Length(row.BMode.widthMM())
			y := (r.Max.Y - r.Min.Y) / vg.Length(row.BMode.heightMM())
			if perMM == 0 {
				perMM = x
			}
			if math.Abs(float64(x-y)) > 1e-9 || math.Abs(float64(x-perMM)) > 1e-9 {
				t.Errorf("row %d: %v points a mm across, %v down; the first panel has %v", i, x, y, perMM)
			}
		}
	}
}

func TestAxesLieExactlyWhereTheyArePlaced(t *testing.T) {
	p := page{Canvas: draw.NewCanvas(&recorder.Canvas{}, mm(100), mm(80))}
	axes := newAxes("Epoch", "Mean absolute error (kPa)")
	axes.X.Min, axes.X.Max, axes.Y.Min, axes.Y.Max = 0, 100000, 0, 1
	want := p.rect(20, 10, 60, 40)
	var got vg.Rectangle
	axes.Add(plotterFunc(func(c draw.Canvas, _ *plot.Plot) { got = c.Rectangle }))
	p.place(axes, want)
	if got != want {
		t.Fatalf("data area %v, want %v", got, want)
	}
}

type plotterFunc func(draw.Canvas, *plot.Plot)

func (f plotterFunc) Plot(c draw.Canvas, p *plot.Plot) { f(c, p) }

func TestTextIsShrunkThenCutToItsRoom(t *testing.T) {
	for _, s := range []string{"sSWE", "a heading that needs smaller type", strings.Repeat("far too long ", 40)} {
		smaller, text := titlePen.within(30, s)
		if w := smaller.widthMM(text); w > 30.01 {
			t.Errorf("%q takes %.1f mm of 30", text, w)
		}
		if smaller.size < 5 {
			t.Errorf("%q in %.1f points cannot be read", text, smaller.size)
		}
	}
}

func TestPixelsAtTheDisplayLimitCountInTheDensity(t *testing.T) {
	// Half of the pairs lie exactly at the limit, where a scanner saturates.
	f, err := MeasuredVsSynthetic([]float32{70, 20}, []float32{70, 20}, Fit{Slope: 1, R: 1}, Style{ScaleMaxKPa: 70})
	if err != nil {
		t.Fatal(err)
	}
	svg, err := f.SVG()
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(svg), "beyond") {
		t.Error("pixels at the limit are said to lie beyond the axes")
	}
}

func TestHistogramAccountsForEveryPixel(t *testing.T) {
	var errs []float32
	rng := stream(21)
	for range 5000 {
		errs = append(errs, float32(6*rng.NormFloat64()))
	}
	errs = append(errs, 900, float32(math.NaN()))
	h := binErrors(errs)
	total := h.beyond
	for _, s := range h.share {
		total += s
	}
	if math.Abs(total-1) > 1e-9 || h.n != 5001 || h.beyond == 0 {
		t.Errorf("shares add up to %v of %d pixels, %v beyond", total, h.n, h.beyond)
	}
}

func TestLabelsOfLinesKeepApart(t *testing.T) {
	out := spreadOut([]vg.Length{50, 49, 48, 10}, 8)
	for i := 1; i < len(out); i++ {
		if out[i-1]-out[i] < 7.9 {
			t.Errorf("labels at %v", out)
		}
	}
}
