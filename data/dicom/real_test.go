package dicom

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/csv"
	"encoding/hex"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"elastography/data/dicom/dicomtest"
)

// golden is a row of testdata/golden.csv, which testdata/golden.py made with
// pydicom.
type golden struct {
	pkg, file                       string
	frames, height, width, channels int
	regions                         int
	kind                            string // of pixels: shown, stored or lossy
	pixels                          string
}

func goldens(t *testing.T) []golden {
	t.Helper()
	f, err := os.Open("testdata/golden.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var out []golden
	for _, r := range rows[1:] {
		n := func(i int) int {
			v, err := strconv.Atoi(r[i])
			if err != nil {
				t.Fatal(err)
			}
			return v
		}
		out = append(out, golden{r[0], r[1], n(3), n(4), n(5), n(6), n(7), r[8], r[9]})
	}
	return out
}

// pixels are all frames one after another: 8-bit pictures, or the stored values.
func pixels(t *testing.T, im *Image, stored bool) []byte {
	t.Helper()
	var out []byte
	for i := range im.Frames {
		if stored {
			s, err := im.samples(i)
			if err != nil {
				t.Fatal(err)
			}
			for _, v := range s.values {
				out = binary.LittleEndian.AppendUint16(out, v)
			}
			continue
		}
		f, err := im.Frame(i)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, f.Pix...)
	}
	return out
}

// TestRealFilesReadAsPydicomReadsThem: every lossless coding, palette and colour
// space to the level; baseline JPEG, whose decoders round differently, within
// 3 levels and to the level for 97 % of all values.
func TestRealFilesReadAsPydicomReadsThem(t *testing.T) {
	for _, g := range goldens(t) {
		t.Run(g.file, func(t *testing.T) {
			im, err := Open(filepath.Join(dicomtest.Files(t, g.pkg), g.file))
			if err != nil {
				t.Fatal(err)
			}
			defer im.Close()
			if im.Frames != g.frames || im.Height != g.height || im.Width != g.width || im.Channels != g.channels || len(im.Regions) != g.regions {
				t.Errorf("%d frames of %d x %d with %d channels and %d regions; pydicom: %d of %d x %d, %d, %d",
					im.Frames, im.Width, im.Height, im.Channels, len(im.Regions), g.frames, g.width, g.height, g.channels, g.regions)
			}
			got := pixels(t, im, g.kind == "stored")
			if g.kind != "lossy" {
				if sum := sha256.Sum256(got); hex.EncodeToString(sum[:]) != g.pixels {
					t.Errorf("pixels differ from pydicom's (%s, %s)", im.TransferSyntax, im.Photometric)
				}
				return
			}
			want, err := base64.StdEncoding.DecodeString(g.pixels)
			if err != nil {
				t.Fatal(err)
			}
			worst, same := 0, 0
			for i, w := range want {
				d := int(got[i*len(got)/len(want)]) - int(w)
				if worst = max(worst, d, -d); d == 0 {
					same++
				}
			}
			if share := float64(same) / float64(len(want)); worst > 3 || share < 0.97 {
				t.Errorf("JPEG differs from libjpeg's by up to %d levels, %.1f %% of the values are the same", worst, 100*share)
			}
		})
	}
}
