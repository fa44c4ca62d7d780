/** Runs a use case to its end; `show` gets its progress on the way. */
export async function finish<Progress, Result>(
  useCase: AsyncGenerator<Progress, Result>,
  show: (progress: Progress) => void = () => undefined,
): Promise<Result> {
  for (;;) {
    const { value, done } = await useCase.next();
    if (done) return value;
    show(value);
  }
}
