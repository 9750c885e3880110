// sm-crypto 0.5.8 of npm: pure JavaScript. Speaks the protocol of src/peer.rs.
const { sm2, sm3, sm4 } = require(process.argv[2] + "/node_modules/sm-crypto");

const unhex = (word) => (word === "-" ? [] : [...Buffer.from(word, "hex")]);
const hex = (bytes) => Buffer.from(bytes).toString("hex") || "-";
const text = (word) => Buffer.from(unhex(word)).toString("latin1");

class Unsupported extends Error {}
class Refused extends Error {}

/* SEQUENCE { x, y, C3, C2 } from and to x, y, C3, C2 without the 04. */
function toDer(raw) {
  const integer = (h) => {
    let b = [...Buffer.from(h, "hex")];
    while (b.length > 1 && b[0] === 0) b.shift();
    if (b[0] & 0x80) b.unshift(0);
    return [2, b.length, ...b];
  };
  const length = (n) => (n < 128 ? [n] : n < 256 ? [0x81, n] : [0x82, n >> 8, n & 255]);
  const octets = (h) => {
    const b = [...Buffer.from(h, "hex")];
    return [4, ...length(b.length), ...b];
  };
  const content = [...integer(raw.slice(0, 64)), ...integer(raw.slice(64, 128)), ...octets(raw.slice(128, 192)), ...octets(raw.slice(192))];
  return hex([0x30, ...length(content.length), ...content]);
}

function fromDer(der) {
  let at = 0;
  const next = () => {
    at += 1;
    let n = der[at++];
    if (n & 0x80) {
      let count = n & 0x7f;
      n = 0;
      while (count--) n = n * 256 + der[at++];
    }
    return n;
  };
  next();
  const value = (pad) => {
    const n = next();
    let v = der.slice(at, at + n);
    at += n;
    while (pad && v.length > 32) v = v.slice(1);
    while (pad && v.length < 32) v = [0, ...v];
    return Buffer.from(v).toString("hex");
  };
  return value(true) + value(true) + value(false) + value(false);
}

function verified(good) {
  if (!good) throw new Refused();
  return "-";
}

const userId = (id) => {
  const bytes = unhex(id);
  if (bytes.length === 0 || bytes.some((b) => b > 127)) throw new Unsupported("IDs of ASCII text only");
  return text(id);
};

const FUNCTIONS = {
  sm3: (message) => sm3(unhex(message)),
  hmac: (key, message) => {
    if (key === "-") throw new Unsupported("no empty key");
    return sm3(unhex(message), { key });
  },
  "sm4 ecb": (direction, key, _, data) => {
    const options = { padding: "none", output: "array" };
    return hex(direction === "enc" ? sm4.encrypt(unhex(data), key, options) : sm4.decrypt(unhex(data), key, options));
  },
  "sm4 cbc": (direction, key, iv, data) => {
    const options = { mode: "cbc", iv, output: "array" };
    return hex(direction === "enc" ? sm4.encrypt(unhex(data), key, options) : sm4.decrypt(unhex(data), key, options));
  },
  "sm2-sign": (d, point, id, message) =>
    sm2.doSignature(unhex(message), d, { hash: true, der: true, publicKey: point, userId: userId(id) }),
  "sm2-verify": (point, id, message, signature) => {
    let good = false;
    try {
      good = sm2.doVerifySignature(unhex(message), signature, point, { hash: true, der: true, userId: userId(id) });
    } catch (error) {
      if (error instanceof Unsupported) throw error;
    }
    return verified(good);
  },
  "sm2-encrypt": (point, message) => toDer(sm2.doEncrypt(unhex(message), point, 1)),
  "sm2-decrypt": (d, _, ciphertext) => {
    const plain = sm2.doDecrypt(fromDer(unhex(ciphertext)), d, 1, { output: "array" });
    return plain.length === 0 ? verified(false) : hex(plain);
  },
};

require("readline")
  .createInterface({ input: process.stdin })
  .on("line", (line) => {
    const words = line.split(" ");
    const pair = words.slice(0, 2).join(" ");
    const [run, rest] = pair in FUNCTIONS ? [FUNCTIONS[pair], words.slice(2)] : [FUNCTIONS[words[0]], words.slice(1)];
    try {
      if (!run) throw new Unsupported("the library has no such function");
      process.stdout.write(`ok ${run(...rest)}\n`);
    } catch (error) {
      if (error instanceof Refused) process.stdout.write("refused\n");
      else if (error instanceof Unsupported) process.stdout.write(`unsupported ${error.message}\n`);
      else throw error;
    }
  });
