import { InvalidArgumentError, Option } from 'commander';
import { z } from 'zod';

/** The option that fills in a field of a request: its default, its choices and its bounds are those of the field. */
export function optionFor(field: z.ZodType, flags: string, description: string): Option {
  const option = new Option(flags, description);
  let schema = field;
  for (; schema instanceof z.ZodDefault || schema instanceof z.ZodOptional; schema = schema.unwrap() as z.ZodType) {
    if (schema instanceof z.ZodDefault) option.default(schema.def.defaultValue);
  }
  if (schema instanceof z.ZodEnum) return option.choices(schema.options.map(String));
  if (schema instanceof z.ZodNumber) return option.argParser(numberFrom(schema));
  if (schema instanceof z.ZodString) return option;
  throw new Error(`${flags}: no option can be made of a field of type ${schema.def.type}`);
}

/** Parses the number of an option; commander turns the error into wrong usage. */
export function numberFrom({ minValue, maxValue, isInt }: z.ZodNumber): (text: string) => number {
  const most = maxValue ?? Number.POSITIVE_INFINITY;
  const range = most === Number.POSITIVE_INFINITY ? `from ${minValue} on` : `from ${minValue} to ${most}`;
  return (text) => {
    const value = Number(text);
    if (text.trim() === '' || !(value >= (minValue ?? value) && value <= most)) {
      throw new InvalidArgumentError(`Give a number ${range}.`);
    }
    if (isInt && !Number.isInteger(value)) throw new InvalidArgumentError('Give a whole number.');
    return value;
  };
}
