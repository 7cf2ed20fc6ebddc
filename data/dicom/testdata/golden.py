"""Makes golden.csv: what pydicom reads from the real files of its own packages.

    pip install pydicom==3.0.2 pydicom-data==1.0.0 numpy pillow pylibjpeg pylibjpeg-libjpeg
    python golden.py PYDICOM_TEST_FILES PYDICOM_DATA > golden.csv

A row is one file: its picture as SHA-256 over all frames, 8-bit grey or RGB
as Image.Frame gives it ("shown"), or the stored 16-bit values ("stored").
Palettes go through apply_color_lut and their top 8 bits; YBR becomes RGB by
pydicom's own conversion; palettes of big-endian files are turned first, which
apply_color_lut forgets. Baseline JPEG is decoded by Pillow (libjpeg-turbo): its
decoders differ by rounding, so those rows carry SAMPLES evenly spaced values in
base64 instead of a hash.
"""
import base64
import csv
import hashlib
import pathlib
import sys

import numpy as np
import pydicom
from pydicom.pixels import apply_color_lut, pixel_array

FILES = {
    "pydicom": """examples_ybr_color.dcm examples_palette.dcm examples_rgb_color.dcm ExplVR_BigEnd.dcm
        MR_small_RLE.dcm MR_small_implicit.dcm MR_small_bigendian.dcm MR_small_expb.dcm SC_rgb_rle.dcm SC_rgb_rle_2frame.dcm
        SC_rgb_rle_16bit_2frame.dcm SC_rgb_jpeg_gdcm.dcm SC_rgb_jpeg_dcmd.dcm SC_rgb_small_odd.dcm SC_rgb_small_odd_big_endian.dcm
        SC_ybr_full_422_uncompressed.dcm SC_rgb_jpeg_dcmtk.dcm SC_rgb_dcmtk_+eb+cr.dcm SC_rgb_dcmtk_+eb+cy+n1.dcm
        SC_rgb_dcmtk_+eb+cy+np.dcm SC_rgb_dcmtk_+eb+cy+s2.dcm SC_rgb_jpeg_lossy_gdcm.dcm SC_jpeg_no_color_transform.dcm""",
    "pydicom-data": """gdcm-US-ALOKA-16.dcm gdcm-US-ALOKA-16_big.dcm US1_UNCR.dcm US1_UNCI.dcm JPGLosslessP14SV1_1s_1f_8b.dcm JPEG-LL.dcm
        color3d_jpeg_baseline.dcm OBXXXX1A.dcm OBXXXX1A_2frame.dcm OBXXXX1A_expb.dcm OBXXXX1A_expb_2frame.dcm OBXXXX1A_rle.dcm
        OBXXXX1A_rle_2frame.dcm color-pl.dcm color-px.dcm SC_ybr_full_uncompressed.dcm SC_rgb_expb_16bit_2frame.dcm
        OT-PAL-8-face.dcm emri_small_RLE.dcm""",
}


SAMPLES = 2048


def regions(ds):
    """Regions that touch the picture."""
    return sum(r.RegionLocationMinX0 < ds.Columns and r.RegionLocationMinY0 < ds.Rows for r in ds.get("SequenceOfUltrasoundRegions", []) or [])


def palette_words(ds):
    for e in ds:
        if e.tag.group == 0x28 and 0x1201 <= e.tag.elem <= 0x1203:
            e.value = np.frombuffer(e.value, ">u2").astype("<u2").tobytes()


def frames(path):
    ds = pydicom.dcmread(path, force=True)
    if not getattr(ds, "file_meta", None) or "TransferSyntaxUID" not in ds.file_meta:
        ds.file_meta.TransferSyntaxUID = pydicom.uid.ImplicitVRLittleEndian
    lossy = ds.file_meta.TransferSyntaxUID == pydicom.uid.JPEGBaseline8Bit
    arr = pixel_array(ds, raw=False, **({"decoding_plugin": "pillow"} if lossy else {}))
    count = int(ds.get("NumberOfFrames", 1) or 1)
    if count == 1:
        arr = arr[None]
    if ds.PhotometricInterpretation == "PALETTE COLOR":
        if ds.file_meta.TransferSyntaxUID == pydicom.uid.ExplicitVRBigEndian:
            palette_words(ds)
        arr = apply_color_lut(arr, ds)
        if arr.dtype == np.uint16:
            arr = (arr >> 8).astype(np.uint8)
    kind = "shown"
    if ds.SamplesPerPixel == 3 and arr.dtype == np.uint16:
        arr = (arr >> 8).astype(np.uint8)
    if arr.dtype != np.uint8:
        arr, kind = arr.astype("<u2") & ((1 << ds.BitsStored) - 1), "stored"
    return ds, np.ascontiguousarray(arr), kind, lossy


def main(roots):
    out = csv.writer(sys.stdout, lineterminator="\n")
    out.writerow("package file file_sha256 frames height width channels regions kind pixels".split())
    for (package, names), root in zip(FILES.items(), roots):
        for name in names.split():
            path = pathlib.Path(root) / name
            ds, arr, kind, lossy = frames(path)
            pixels = arr.astype(arr.dtype.newbyteorder("<")).tobytes()
            shown = hashlib.sha256(pixels).hexdigest()
            if lossy:
                kind, shown = "lossy", base64.b64encode(bytes(pixels[k * len(pixels) // SAMPLES] for k in range(SAMPLES))).decode()
            out.writerow([package, name, hashlib.sha256(path.read_bytes()).hexdigest(), arr.shape[0], arr.shape[1], arr.shape[2],
                          arr.shape[3] if arr.ndim == 4 else 1, regions(ds), kind, shown])


if __name__ == "__main__":
    main(sys.argv[1:])
