package intake

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"image/png"
	"os"
	"path/filepath"
	"testing"

	"github.com/suyashkumar/dicom/pkg/tag"
	"golang.org/x/image/font"
	"golang.org/x/image/font/basicfont"
	"golang.org/x/image/math/fixed"
	"golang.org/x/image/tiff"

	"elastography/data/npz"
	"elastography/data/scan/example"
)

// realScreen is the one real scanner screen at hand.
func realScreen(t testing.TB) *image.RGBA {
	t.Helper()
	f, err := os.Open("../testdata/aixplorer_muscle_150kPa_50pct.png")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	im, err := png.Decode(f)
	if err != nil {
		t.Fatal(err)
	}
	out := image.NewRGBA(im.Bounds())
	draw.Draw(out, out.Rect, im, im.Bounds().Min, draw.Src)
	return out
}

// signed is a copy of a screen with text burned into its upper margin.
func signed(im *image.RGBA, text string) *image.RGBA {
	out := image.NewRGBA(im.Rect)
	copy(out.Pix, im.Pix)
	d := font.Drawer{Dst: out, Src: image.NewUniform(color.Gray{220}), Face: basicfont.Face7x13, Dot: fixed.P(10, 20)}
	d.DrawString(text)
	// a shade in one spot of the tissue, so that no two screens are copies
	at := out.PixOffset(300+len(text)%50, 560)
	for i := range 4 * 40 {
		if i%4 != 3 {
			out.Pix[at+i] = uint8(text[i%len(text)])
		}
	}
	return out
}

// writeScreen stores a screen in one of the formats that scanners export.
func writeScreen(t testing.TB, path string, im *image.RGBA) {
	t.Helper()
	var b bytes.Buffer
	var err error
	switch filepath.Ext(path) {
	case ".jpg":
		err = jpeg.Encode(&b, im, &jpeg.Options{Quality: 92})
	case ".tif":
		err = tiff.Encode(&b, im, nil)
	case ".dcm":
		writeDICOM(t, path, map[tag.Tag]string{tag.PatientID: filepath.Base(filepath.Dir(path))}, im)
		return
	default:
		err = (&png.Encoder{CompressionLevel: png.BestSpeed}).Encode(&b, im)
	}
	if err != nil {
		t.Fatal(err)
	}
	write(t, path, b.Bytes())
}

func write(t testing.TB, path string, b []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, b, 0o644); err != nil {
		t.Fatal(err)
	}
}

// writeDICOM stores frames as an ultrasound file with these text elements.
func writeDICOM(t testing.TB, path string, texts map[tag.Tag]string, frames ...*image.RGBA) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := example.WriteDICOM(path, texts, frames...); err != nil {
		t.Fatal(err)
	}
}

// mixed fills a folder with n exports of n/10 patients, every twentieth of them
// damaged in one of three ways, and returns how many are bad. Four of ten are
// screens, each in another container, the others arrays.
func mixed(t testing.TB, dir string, n int) (bad int) {
	t.Helper()
	screen := realScreen(t)
	for k := range n {
		ext := []string{".png", ".npz", ".jpg", ".npz", ".tif", ".npz", ".dcm", ".npz", ".npz", ".npz"}[k%10]
		path := filepath.Join(dir, fmt.Sprintf("patient%03d", k/10), fmt.Sprintf("export%04d%s", k, ext))
		if ext == ".npz" {
			writeArrays(t, path, k)
		} else {
			writeScreen(t, path, signed(screen, fmt.Sprintf("EXPORT NUMBER %d", k)))
		}
		if k%20 != k/20%5*2 {
			continue
		}
		bad++
		switch k / 20 % 5 {
		case 0, 1, 2:
			info, err := os.Stat(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.Truncate(path, info.Size()*2/3); err != nil {
				t.Fatal(err)
			}
		case 3:
			write(t, path, nil)
		default:
			write(t, path, []byte("this is no picture"))
		}
	}
	return bad
}

// writeArrays stores a plane as arrays.
func writeArrays(t testing.TB, path string, k int) {
	t.Helper()
	const h, w = 40, 60
	grey, kPa := make([]uint8, h*w), make([]float32, h*w)
	for i := range grey {
		grey[i], kPa[i] = uint8(i+k), float32((i+3*k)%(70+k))+1
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := npz.WriteFile(path, map[string]npz.Array{"bmode": npz.Of(grey, h, w), "swe_kpa": npz.Of(kPa, h, w),
		"id": npz.Of([]int64{int64(binary.LittleEndian.Uint16([]byte{byte(k), byte(k >> 8)}))})}); err != nil {
		t.Fatal(err)
	}
}
