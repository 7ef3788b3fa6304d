// Hands what the microphone hears to the page, piece by piece.
class Recorder extends AudioWorkletProcessor {
  process(inputs) {
    const heard = inputs[0] && inputs[0][0];
    if (heard) this.port.postMessage(heard.slice());
    return true;
  }
}
registerProcessor("ocm-recorder", Recorder);
