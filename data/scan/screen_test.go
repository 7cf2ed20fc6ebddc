package scan

import (
	"bytes"
	"fmt"
	"image"
	"image/jpeg"
	"image/png"
	"math"
	"testing"

	"elastography/data/scan/example"
)

// through sends a picture through a file format; quality 0 is PNG.
func through(t testing.TB, im image.Image, quality int) image.Image {
	t.Helper()
	var b bytes.Buffer
	var err error
	if quality == 0 {
		err = png.Encode(&b, im)
	} else {
		err = jpeg.Encode(&b, im, &jpeg.Options{Quality: quality})
	}
	if err != nil {
		t.Fatal(err)
	}
	out, err := decode("drawn", bytes.NewReader(b.Bytes()), 0)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// agreement compares an imported screen with the truth it was drawn from.
type agreement struct {
	medianKPa  float64 // median absolute error where both show a value below the limit
	p95KPa     float64
	iou        float64 // of shown pixels
	recall     float64 // share of truly saturated pixels that are flagged
	precision  float64 // share of flagged pixels that are at 95 % of the limit or more
	stray      float64 // flagged pixels that are not, as a share of the shown ones
	boxOff     int     // largest offset of a side of the box, px
	mmOff      float64 // relative error of the pixel size
	greyMedian float64 // median difference of grey levels
}

func compare(s *Screen, tr truth, m made) agreement {
	var errs, greys []float64
	var both, either, saturated, flagged, right, fair float64
	origin := s.Layout.PlainView.Where.Min.Sub(tr.plain) // crop's corner in the view
	for y := range tr.h {
		for x := range tr.w {
			i := y*tr.w + x
			cx, cy := x-origin.X, y-origin.Y
			have, at := false, 0
			if cx >= 0 && cy >= 0 && cx < s.Width && cy < s.Height {
				at = cy*s.Width + cx
				v := s.SWEKPa[at]
				have = v == v
				greys = append(greys, math.Abs(float64(s.BMode[at])-tr.grey[i]))
			}
			if have || tr.shown[i] {
				either++
			}
			if have && tr.shown[i] {
				both++
				if !tr.saturated[i] {
					errs = append(errs, math.Abs(float64(s.SWEKPa[at])-tr.kPa[i]))
				}
			}
			if tr.saturated[i] {
				saturated++
				if have && s.Saturated[at] {
					right++
				}
			}
			if have && s.Saturated[at] {
				flagged++
				if tr.kPa[i] >= 0.95*m.limitKPa {
					fair++
				}
			}
		}
	}
	want := tr.box.Add(tr.plain)
	got := s.Layout.PlainBox.Where
	return agreement{
		medianKPa: median(errs), p95KPa: quantile(errs, 0.95), iou: both / either,
		recall: share(right, saturated), precision: share(fair, flagged), stray: (flagged - fair) / max(1, both),
		boxOff:     max(abs(got.Min.X-want.Min.X), abs(got.Min.Y-want.Min.Y), abs(got.Max.X-want.Max.X), abs(got.Max.Y-want.Max.Y)),
		mmOff:      math.Abs(s.MMPerPx*m.pxPerCM/10 - 1),
		greyMedian: median(greys),
	}
}

// share of nothing is all of it.
func share(part, whole float64) float64 {
	if whole == 0 {
		return 1
	}
	return part / whole
}

// Two layouts, three opacities and three display limits; two maps and four file
// qualities in turn.
func TestDrawnScreensComeBack(t *testing.T) {
	maps := []struct {
		name  string
		knots []example.Colour
	}{{"jet", example.Jet()}, {"warm jet", example.WarmJet()}}
	qualities := []int{85, 75, 0, 95}
	for il, sideways := range []bool{false, true} {
		for io, opacity := range []float64{0.4, 0.6, 1} {
			for is, limit := range []float64{75, 150, 300} {
				ic := (il + io + is) % 2
				colours, quality := maps[ic], qualities[(io+2*is+3*il)%4]
				m := made{
					sideways: sideways, opacity: opacity, limitKPa: limit, colours: colours.knots,
					plainFirst: (io+is+il)%2 == 1, barLeft: is == 1, pxPerCM: []float64{52, 64, 81}[io],
				}
				m.name = fmt.Sprintf("sideways %v, opacity %g, %g kPa, %s", sideways, opacity, limit, colours.name)
				t.Run(fmt.Sprintf("%s, quality %d", m.name, quality), func(t *testing.T) {
					t.Parallel()
					im, tr := m.draw(t)
					s, err := Analyse(through(t, im, quality), Options{})
					if err != nil {
						t.Fatal(err)
					}
					a := compare(s, tr, m)
					t.Logf("%+v, opacity %.3f", a, s.Opacity)
					a.check(t, s, m, quality, m.medianOwedKPa(quality))
				})
			}
		}
	}
}

// medianOwedKPa is the median error that an importer owes for tissue that visits
// the whole scale. At 300 kPa one level of a half transparent overlay is worth
// 0.6 kPa, and a JPEG moves it by several: there it is a share of the scale.
func (m made) medianOwedKPa(quality int) float64 {
	switch quality {
	case 0:
		return 0.004 * m.limitKPa
	case 75:
		return 2
	}
	return max(1, 0.0045*m.limitKPa)
}

// check holds an agreement against what an importer owes, its median error
// against bound, kPa.
func (a agreement) check(t *testing.T, s *Screen, m made, quality int, bound float64) {
	t.Helper()
	flagged := 0.93
	if quality == 0 {
		flagged = 0.99
	}
	if s.ScaleMaxKPa != m.limitKPa {
		t.Errorf("scale read as %g kPa, drawn as %g", s.ScaleMaxKPa, m.limitKPa)
	}
	if !(a.medianKPa <= bound) {
		t.Errorf("median error %.2f kPa, want at most %.2f", a.medianKPa, bound)
	}
	if a.iou < 0.98 {
		t.Errorf("shown pixels overlap by %.3f, want 0.98", a.iou)
	}
	// a JPEG mixes colours at the rim of the map: a few pixels there are stray
	if a.recall < flagged || a.precision < 0.95 && a.stray > 0.002 {
		t.Errorf("saturated pixels: %.2f flagged, %.2f of the flags right, %.4f of the pixels flagged wrongly", a.recall, a.precision, a.stray)
	}
	if a.boxOff > 1 {
		t.Errorf("box is %d px off", a.boxOff)
	}
	if a.mmOff > 0.01 {
		t.Errorf("pixel size is %.1f %% off", 100*a.mmOff)
	}
	if a.greyMedian > 4 {
		t.Errorf("grey levels are %.1f off", a.greyMedian)
	}
	if t.Failed() {
		t.Logf("\n%s", s.Layout)
	}
}

func TestOtherScreensComeBack(t *testing.T) {
	base := made{opacity: 0.5, limitKPa: 150, colours: example.Jet(), pxPerCM: 64}
	for _, c := range []struct {
		name string
		with func(*made)
	}{
		{"fan-shaped view", func(m *made) { m.sector = true }},
		{"fans side by side", func(m *made) { m.sector, m.sideways = true, true }},
		{"bar in m/s", func(m *made) { m.speed, m.limitKPa = true, 147 }},
		{"no outline", func(m *made) { m.noOutline = true }},
		{"faint overlay", func(m *made) { m.opacity = 0.25 }},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			m := base
			c.with(&m)
			m.name = c.name
			im, tr := m.draw(t)
			s, err := Analyse(im, Options{})
			if err != nil {
				t.Fatal(err)
			}
			a := compare(s, tr, m)
			t.Logf("%+v, opacity %.3f", a, s.Opacity)
			if m.noOutline { // nothing but colour shows where such a box ends
				a.boxOff = 0
			}
			a.check(t, s, m, 0, m.medianOwedKPa(0))
		})
	}
}

// The real screen, against figures read off it by eye (testdata/NOTICE.md).
func TestRealAixplorerScreen(t *testing.T) {
	s, err := ReadScreen("testdata/aixplorer_muscle_150kPa_50pct.png", Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("\n%s", s.Layout)
	near := func(what string, got, want image.Rectangle) {
		t.Helper()
		off := max(abs(got.Min.X-want.Min.X), abs(got.Min.Y-want.Min.Y), abs(got.Max.X-want.Max.X), abs(got.Max.Y-want.Max.Y))
		if off > 2 {
			t.Errorf("%s at %v, by eye at %v", what, got, want)
		}
	}
	near("overlay box", s.Layout.OverlayBox.Where, image.Rect(312, 149, 615, 258))
	near("plain box", s.Layout.PlainBox.Where, image.Rect(312, 452, 615, 562))
	near("plain view", s.Layout.PlainView.Where, image.Rect(211, 399, 734, 696))
	near("colour bar", s.Layout.ColourBar.Where, image.Rect(934, 94, 947, 243))
	if !s.Layout.GreyBar.Found() {
		t.Error("grey bar not found")
	}
	if off := math.Abs(s.MMPerPx*102/10 - 1); off > 0.02 {
		t.Errorf("%.4f mm per px, 1 cm is 102 px by eye", s.MMPerPx)
	}
	if s.ScaleMaxKPa != 150 || s.Layout.Scale.Confidence < 0.9 {
		t.Errorf("scale read as %g kPa with confidence %.2f, printed 150", s.ScaleMaxKPa, s.Layout.Scale.Confidence)
	}
	if math.Abs(s.Opacity-0.5) > 0.03 {
		t.Errorf("opacity %.2f, printed 50 %%", s.Opacity)
	}
	if math.Abs(s.TextureR) > 0.1 {
		t.Errorf("stiffness still correlates %.2f with the B-mode", s.TextureR)
	}

	// spots whose colour is plain to see, in file pixels of the overlay view
	at := func(x, y int) float64 {
		o := s.Layout.OverlayView.Where.Min
		return float64(s.SWEKPa[(y-o.Y)*s.Width+x-o.X])
	}
	for _, c := range []struct {
		what     string
		x, y     int
		low, top float64
	}{
		{"yellow band", 338, 215, 85, 105},
		{"red spot at the bottom", 397, 248, 120, 150},
		{"red spot at the right", 611, 216, 120, 150},
		{"light blue ground", 465, 200, 45, 70},
		{"blue patch", 585, 200, 30, 50},
	} {
		if v := at(c.x, c.y); !(v >= c.low && v <= c.top) {
			t.Errorf("%s reads %.0f kPa, by eye %g to %g", c.what, v, c.low, c.top)
		}
	}
	if v := at(371, 255); v == v {
		t.Errorf("the grey gap at the bottom reads %.0f kPa", v)
	}
	var values []float64
	for _, v := range s.SWEKPa {
		if v == v {
			values = append(values, float64(v))
		}
	}
	if lo, hi := quantile(values, 0.25), quantile(values, 0.75); lo < 40 || hi > 75 {
		t.Errorf("the middle half lies between %.0f and %.0f kPa, by eye 40 to 70", lo, hi)
	}
}

// The real screen saved as a JPEG says the same.
func TestTheRealScreenAsAJPEGIsTheSameMap(t *testing.T) {
	img, err := decodeFile("testdata/aixplorer_muscle_150kPa_50pct.png", 0)
	if err != nil {
		t.Fatal(err)
	}
	want, err := Analyse(img, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, quality := range []int{92, 75} {
		got, err := Analyse(through(t, img, quality), Options{})
		if err != nil {
			t.Fatal(err)
		}
		// the crops may begin a pixel apart
		shift := got.Layout.PlainView.Where.Min.Sub(want.Layout.PlainView.Where.Min)
		var off []float64
		both, either := 0.0, 0.0
		for i, v := range want.SWEKPa {
			p := image.Pt(i%want.Width, i/want.Width).Sub(shift)
			if !p.In(image.Rect(0, 0, got.Width, got.Height)) {
				continue
			}
			g := got.SWEKPa[p.Y*got.Width+p.X]
			if v == v || g == g {
				either++
			}
			if v == v && g == g {
				both++
				off = append(off, math.Abs(float64(v-g)))
			}
		}
		if median(off) > 1 || quantile(off, 0.95) > 5 || both/either < 0.98 {
			t.Errorf("quality %d: half of the map is off by %.2f kPa or more, a twentieth by %.1f, masks overlap by %.3f", quality, median(off), quantile(off, 0.95), both/either)
		}
	}
}

// A scanner often measures nothing in the depth of its box: the box is where its
// outline is, not where the colours end, and the outline leaves the B-mode.
func TestTheBoxIsWholeWhereItsDepthShowsNothing(t *testing.T) {
	m := made{name: "shallow", opacity: 0.5, limitKPa: 150, colours: example.Jet(), pxPerCM: 64}
	tr := m.anatomy()
	for i := range tr.shown {
		tr.shown[i] = tr.shown[i] && i/tr.w < tr.box.Max.Y-30
	}
	for _, sideways := range []bool{false, true} {
		d := example.Device{Sideways: sideways, Opacity: m.opacity, ScaleMaxKPa: m.limitKPa, Map: m.colours}
		drawn, err := d.Draw(example.Tissue{Height: tr.h, Width: tr.w, MMPerPx: 10 / m.pxPerCM, Grey: tr.grey, KPa: tr.kPa, Shown: tr.shown, Box: tr.box})
		if err != nil {
			t.Fatal(err)
		}
		s, err := Analyse(drawn.Image, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if want := tr.box.Add(drawn.Plain); s.Layout.PlainBox.Where != want {
			t.Errorf("sideways %v: the box is %v, want %v", sideways, s.Layout.PlainBox.Where, want)
		}
	}
}
