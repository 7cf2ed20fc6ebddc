package scan

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/image/tiff"

	"elastography/data/scan/example"
)

func canvasOf(w, h int, at func(x, y int) vec) *image.RGBA {
	im := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			c := at(x, y)
			im.SetRGBA(x, y, color.RGBA{uint8(c[0]), uint8(c[1]), uint8(c[2]), 255})
		}
	}
	return im
}

// doppler turns a drawn screen into a colour flow screen: red and blue in the
// box and a bar that runs from cyan over black to yellow, in cm/s.
func doppler(t *testing.T) image.Image {
	m := made{name: "doppler", opacity: 1, limitKPa: 150, pxPerCM: 64}
	flow := []example.Colour{{0, 255, 255}, {0, 0, 255}, {0, 0, 60}, {0, 0, 0}, {60, 0, 0}, {255, 0, 0}, {255, 255, 0}}
	m.colours = flow
	im, _ := m.draw(t)
	return im
}

func TestPicturesWithoutStiffnessAreRefused(t *testing.T) {
	rng := stream("noise")
	cases := map[string]image.Image{
		"one pixel":     image.NewGray(image.Rect(0, 0, 1, 1)),
		"no pixel":      image.NewGray(image.Rect(0, 0, 0, 0)),
		"blank":         image.NewGray(image.Rect(0, 0, 640, 480)),
		"white":         canvasOf(640, 480, func(int, int) vec { return vec{255, 255, 255} }),
		"grey noise":    canvasOf(640, 480, func(int, int) vec { v := float64(rng.IntN(256)); return vec{v, v, v} }),
		"colour noise":  canvasOf(640, 480, func(int, int) vec { return vec{rng.Float64() * 255, rng.Float64() * 255, rng.Float64() * 255} }),
		"photo":         canvasOf(640, 480, func(x, y int) vec { return vec{float64(x) / 3, 90 + float64(y)/4, 220 - float64(x)/5} }),
		"rainbow":       canvasOf(640, 480, func(x, y int) vec { return vec(example.At(example.Jet(), float64(x)/640)) }),
		"a lone bar":    canvasOf(640, 480, func(x, y int) vec { return loneBar(x, y) }),
		"colour flow":   doppler(t),
		"bar and noise": barAndNoise(t),
	}
	for name, im := range cases {
		t.Run(name, func(t *testing.T) {
			_, err := Analyse(im, Options{ScaleMaxKPa: 150, MMPerPx: 0.1})
			refused, ok := errors.AsType[*RefusedError](err)
			if !ok {
				t.Fatalf("got %v, want a RefusedError", err)
			}
			if refused.Reason == "" || refused.Remedy == "" {
				t.Errorf("a refusal needs a reason and a remedy: %+v", refused)
			}
			if im.Bounds().Dx() > 64 && (refused.Seen == nil || refused.Seen.Bounds().Size() != im.Bounds().Size()) {
				t.Error("the refusal does not show what was seen")
			}
			t.Log(err)
		})
	}
}

func loneBar(x, y int) vec {
	if x >= 600 && x < 614 && y >= 100 && y < 300 {
		return vec(example.At(example.Jet(), 1-float64(y-100)/200))
	}
	return vec{}
}

// barAndNoise has a bar and a coloured box, but the box's colours are not the
// bar's and nothing is twinned.
func barAndNoise(t *testing.T) image.Image {
	rng := stream("bar and noise")
	return canvasOf(640, 480, func(x, y int) vec {
		switch {
		case image.Pt(x, y).In(image.Rect(100, 100, 300, 260)):
			return vec{200 + rng.Float64()*50, 40, 200 + rng.Float64()*50}
		case x < 450:
			v := float64(rng.IntN(200))
			return vec{v, v, v}
		}
		return loneBar(x, y)
	})
}

// What is missing is asked for by the flag that supplies it.
func TestMissingPrintIsAskedFor(t *testing.T) {
	m := made{name: "blanked", opacity: 0.5, limitKPa: 150, colours: example.Jet(), pxPerCM: 64}
	im, tr := m.draw(t)
	blank := func(r image.Rectangle) *image.RGBA {
		out := image.NewRGBA(im.Rect)
		draw.Draw(out, out.Rect, im, image.Point{}, draw.Src)
		draw.Draw(out, r, image.Black, image.Point{}, draw.Src)
		return out
	}
	beside := tr.bar.Add(image.Pt(tr.bar.Dx()+1, 0)).Inset(-1)
	beside.Max.X = im.Rect.Max.X
	noScale := blank(beside)
	draw.Draw(noScale, image.Rect(tr.bar.Min.X-40, tr.bar.Min.Y-30, im.Rect.Max.X, tr.bar.Min.Y-1), image.Black, image.Point{}, draw.Src)
	rulers := image.Rect(tr.plain.X+viewW, 0, tr.plain.X+viewW+60, im.Rect.Max.Y)

	_, err := Analyse(noScale, Options{})
	if err == nil || !strings.Contains(err.Error(), "--scale-max") {
		t.Errorf("no digits at the bar: %v, want a word about --scale-max", err)
	}
	if s, err := Analyse(noScale, Options{ScaleMaxKPa: 150}); err != nil || s.ScaleMaxKPa != 150 {
		t.Errorf("the given scale was not taken: %v", err)
	}
	noRuler := blank(rulers)
	_, err = Analyse(noRuler, Options{})
	if err == nil || !strings.Contains(err.Error(), "--mm-per-px") {
		t.Errorf("no ruler: %v, want a word about --mm-per-px", err)
	}
	if s, err := Analyse(noRuler, Options{MMPerPx: 0.15}); err != nil || s.MMPerPx != 0.15 {
		t.Errorf("the given pixel size was not taken: %v", err)
	}
}

// Ticks alone do not tell millimetres from centimetres.
func TestTicksWithoutNumbersAreNotEnough(t *testing.T) {
	m := made{name: "bare ticks", opacity: 0.5, limitKPa: 150, colours: example.Jet(), pxPerCM: 64}
	im, tr := m.draw(t)
	draw.Draw(im, image.Rect(tr.plain.X+viewW+8, 0, tr.plain.X+viewW+60, im.Rect.Max.Y), image.Black, image.Point{}, draw.Src)
	_, err := Analyse(im, Options{})
	if err == nil || !strings.Contains(err.Error(), "--mm-per-px") || !strings.Contains(err.Error(), "32.") {
		t.Errorf("bare ticks: %v, want their pitch of 32 px and a word about --mm-per-px", err)
	}
}

func TestGivenScaleWinsAndDisagreementIsSaid(t *testing.T) {
	m := made{name: "given scale", opacity: 0.5, limitKPa: 150, colours: example.Jet(), pxPerCM: 64}
	im, _ := m.draw(t)
	s, err := Analyse(im, Options{ScaleMaxKPa: 180})
	if err != nil {
		t.Fatal(err)
	}
	if s.ScaleMaxKPa != 180 || !strings.Contains(s.Layout.Scale.Reason, "DISAGREES") {
		t.Errorf("scale %g, reason %q", s.ScaleMaxKPa, s.Layout.Scale.Reason)
	}
}

func TestSizeOverridesAreUsed(t *testing.T) {
	m := made{name: "overrides", opacity: 0.5, limitKPa: 150, colours: example.Jet(), pxPerCM: 64}
	im, tr := m.draw(t)
	box := tr.box.Add(tr.overlay)
	view := image.Rectangle{Min: tr.plain, Max: tr.plain.Add(image.Pt(viewW, viewH))}
	s, err := Analyse(im, Options{OverlayBox: box, PlainView: view, ColourBar: tr.bar, Opacity: 0.5})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range []Finding{s.Layout.OverlayBox, s.Layout.ColourBar, s.Layout.PlainView, s.Layout.Opacity} {
		if f.Confidence != 1 || !strings.Contains(f.Reason, "given") {
			t.Errorf("%s: %v", f.Name, f)
		}
	}
	if a := compare(s, tr, m); !(a.medianKPa < 0.5) || a.boxOff != 0 {
		t.Errorf("%+v", a)
	}
}

func TestImpossibleOptionsAreErrors(t *testing.T) {
	im := image.NewGray(image.Rect(0, 0, 640, 480))
	for _, opt := range []Options{
		{ScaleMaxKPa: -1}, {ScaleMaxKPa: math.NaN()}, {MMPerPx: math.Inf(1)}, {Opacity: 2}, {MinConfidence: 3},
	} {
		if _, err := Analyse(im, opt); err == nil {
			t.Errorf("%+v was accepted", opt)
		}
	}
}

// A line of text burned into one of two views is not tissue.
func TestMarksOnTheViewAreRemoved(t *testing.T) {
	m := made{name: "marks", opacity: 0.5, limitKPa: 150, colours: example.Jet(), pxPerCM: 64}
	im, tr := m.draw(t)
	mark := image.Rect(20, 190, 60, 194).Add(tr.plain)
	draw.Draw(im, mark, image.White, image.Point{}, draw.Src)
	s, err := Analyse(im, Options{})
	if err != nil {
		t.Fatal(err)
	}
	o := s.Layout.PlainView.Where.Min
	for y := mark.Min.Y; y < mark.Max.Y; y++ {
		for x := mark.Min.X; x < mark.Max.X; x++ {
			want := tr.grey[(y-tr.plain.Y)*tr.w+x-tr.plain.X]
			if got := float64(s.BMode[(y-o.Y)*s.Width+x-o.X]); math.Abs(got-want) > 2 {
				t.Fatalf("pixel %d,%d under the mark is %g, tissue is %.0f", x, y, got, want)
			}
		}
	}
}

func TestDamagedFilesAreErrors(t *testing.T) {
	var whole bytes.Buffer
	if err := png.Encode(&whole, canvasOf(200, 200, func(x, y int) vec { return vec{float64(x), float64(y), 0} })); err != nil {
		t.Fatal(err)
	}
	huge := bytes.Clone(whole.Bytes())
	binary.BigEndian.PutUint32(huge[16:], 60_000)
	binary.BigEndian.PutUint32(huge[20:], 60_000)
	binary.BigEndian.PutUint32(huge[29:], crc32.ChecksumIEEE(huge[12:29]))
	for name, data := range map[string][]byte{
		"empty.png": nil, "text.png": []byte("this is no picture"),
		"truncated.png": whole.Bytes()[:whole.Len()/2], "huge.png": huge,
	} {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, data, 0o644); err != nil {
			t.Fatal(err)
		}
		_, err := ReadScreen(path, Options{})
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v, want an error that names the file", name, err)
		}
		if refused, ok := errors.AsType[*RefusedError](err); ok != (name == "huge.png") {
			t.Errorf("%s: %v (refused: %v)", name, err, refused)
		}
		if _, err := ReadPicture(path, 0); err == nil {
			t.Errorf("%s was read as B-mode", name)
		}
		t.Log(err)
	}
	if _, err := ReadScreen(filepath.Join(t.TempDir(), "absent.png"), Options{}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("an absent file: %v", err)
	}
}

// TIFF takes a way of its own through the decoder.
func TestTIFFScreenIsRead(t *testing.T) {
	m := made{name: "tiff", opacity: 0.5, limitKPa: 75, colours: example.Jet(), pxPerCM: 64}
	im, tr := m.draw(t)
	path := filepath.Join(t.TempDir(), "screen.tif")
	var b bytes.Buffer
	if err := tiff.Encode(&b, im, &tiff.Options{Compression: tiff.Deflate}); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	s, err := ReadScreen(path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	compare(s, tr, m).check(t, s, m, 0, m.medianOwedKPa(0))
}

func TestAPictureKeepsItsGreyLevels(t *testing.T) {
	path := filepath.Join(t.TempDir(), "b.png")
	im := image.NewGray(image.Rect(0, 0, 30, 20))
	for i := range im.Pix {
		im.Pix[i] = uint8(i)
	}
	var b bytes.Buffer
	if err := png.Encode(&b, im); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	read, err := ReadPicture(path, 0)
	if err != nil {
		t.Fatal(err)
	}
	pix, h, w := Gray(read)
	if h != 20 || w != 30 || !bytes.Equal(pix, im.Pix) {
		t.Errorf("%d x %d", w, h)
	}
	if _, err := ReadPicture(path, 100); err == nil {
		t.Error("600 pixels were read with a limit of 100")
	}
}
